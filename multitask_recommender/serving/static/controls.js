// The form: what is asked for. All of it lives in `state`, and in the page's address.

const asked = new URLSearchParams(location.search);
const listed = (name) => (asked.get(name) ?? "").split(",").filter(Boolean);
const state = {
  user: asked.get("user") ?? "",
  history: listed("history"),
  exclude: listed("exclude"),
  items: listed("items"),
  k: asked.get("k"),
  seen: asked.get("seen") !== "no",
  weights: {},
  features: {},
};
const shows = []; // what draws a part of the state anew
let due;

/** Applies a change of the state, shows it, and asks again, once changes pause. */
function change(apply) {
  apply();
  for (const show of shows) show();
  clearTimeout(due);
  due = setTimeout(recommend, 120);
}

/** An element with attributes (functions become listeners) and children. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (typeof value === "boolean") made.toggleAttribute(name, value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function button(text, label, click) {
  return make("button", { type: "button", "aria-label": label, title: label, click }, text);
}

function field(title, input, ...more) {
  return make("fieldset", {}, make("label", { for: input.id }, title), input, ...more);
}

function user() {
  const users = setup.examples.filter((one) => one.user);
  let isFilled = false; // the history is that of an example, and goes with its user
  const take = () => {
    state.user = input.value.trim();
    const history = users.find((one) => one.user === state.user)?.history ?? [];
    if (isFilled || history.length) state.history = [...history];
    isFilled = history.length > 0;
  };
  const input = make("input", {
    id: "user",
    list: "users",
    value: state.user,
    placeholder: users.length ? "pick or type an id" : "type an id",
    input: () => change(take),
  });
  const options = users.map((one) => make("option", { value: one.user }));
  return field("User", input, make("datalist", { id: "users" }, ...options));
}

/** A list of ids in the state, which is seen, added to and taken from. */
function ids(key, title, hint, ...more) {
  const chips = make("ul", { class: "chips" });
  const input = make("input", { id: `add-${key}`, placeholder: "item id; Enter adds it" });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const added = input.value.split(",").map((one) => one.trim());
    input.value = "";
    change(() => state[key].push(...added.filter(Boolean)));
  });
  const chip = (id, place) =>
    button(`${id} ×`, `Remove ${id}`, () => {
      change(() => state[key].splice(place, 1));
      input.focus();
    });
  const none = make("p", { class: "soft hint" }, hint);
  shows.push(() => {
    none.hidden = state[key].length > 0;
    chips.replaceChildren(...state[key].map((id, at) => make("li", {}, chip(id, at))));
  });
  const label = make("label", { for: input.id }, title);
  return make("fieldset", {}, label, none, chips, make("div", { class: "row" }, input, ...more));
}

function pastItems() {
  const examples = setup.examples.filter((one) => one.history.length);
  let next = 0;
  const take = button("example", "Take the history of an example", () =>
    change(() => (state.history = [...examples[next++ % examples.length].history])),
  );
  const hint = "None given: the model goes by what it learnt of the user.";
  return ids("history", "History, oldest first", hint, ...(examples.length ? [take] : []));
}

function slider(name) {
  const first = defaultOf(name) ?? 0;
  state.weights[name] = asked.get(name) ?? String(+first.toFixed(4));
  const told = make("output", { for: name }, state.weights[name]);
  const range = { type: "range", min: 0, max: Math.max(1, 2 * first), step: 0.05 };
  const input = make("input", { id: name, ...range, value: state.weights[name] });
  input.addEventListener("input", () => {
    told.textContent = input.value;
    change(() => (state.weights[name] = input.value));
  });
  const task = make("span", {}, name.replace("weight_", ""));
  return make("label", { class: "slider", for: name }, task, input, told);
}

function howMany() {
  state.k ??= String(defaultOf("k") ?? 10);
  const input = make("input", { id: "k", type: "number", min: 1, value: state.k });
  input.addEventListener("input", () => change(() => (state.k = input.value)));
  return field("How many", input);
}

function leaveOutSeen() {
  const input = make("input", { id: "seen", type: "checkbox", checked: state.seen });
  input.addEventListener("change", () => change(() => (state.seen = input.checked)));
  return make("label", { class: "row", for: "seen" }, input, "Leave out what was seen");
}

function feature(name) {
  const input = make("input", { id: `feature-${name}` });
  input.addEventListener("input", () => change(() => (state.features[name] = input.value)));
  return make("div", { class: "feature" }, make("label", { for: input.id }, name), input);
}

/** The parts of the form, as the signature has inputs for them. */
function controls() {
  const known = ["user_id", "history", "history_length", "item_ids", "k"];
  known.push("exclude_seen", "exclude_ids");
  const others = Object.keys(signatures[main].inputs)
    .filter((one) => !known.includes(one))
    .sort();
  const weights = others.filter((name) => name.startsWith("weight_"));
  const features = others.filter((name) => !weights.includes(name));
  const group = (title, parts) => make("fieldset", {}, make("legend", {}, title), ...parts);
  const parts = [
    has("user_id") && user(),
    has("history") && pastItems(),
    has("item_ids") && ids("items", "Items to rank", "None yet."),
    weights.length && group("Weights of the tasks", weights.map(slider)),
  ];
  const more = [
    has("k") && howMany(),
    has("exclude_seen") && leaveOutSeen(),
    has("exclude_ids") && ids("exclude", "Left out", "Nothing else is left out."),
    features.length && group("Features", features.map(feature)),
  ].filter(Boolean);
  const open = matchMedia("(min-width: 62rem)").matches; // beside the result, else above it
  if (more.length) parts.push(make("details", { open }, make("summary", {}, "More"), ...more));
  return parts.filter(Boolean);
}

/** What was typed for a feature: one value, or several with commas between them. */
function row(name, text) {
  const isOne = signatures[main].inputs[name].tensor_shape.dim.length < 2;
  return isOne ? text : text.split(",").map((one) => one.trim());
}

/** The inputs of the query: what is left open is left to the model's defaults. */
function inputs() {
  const given = { ...state.weights, exclude_seen: state.seen };
  if (state.user !== "") given.user_id = state.user;
  if (state.history.length) given.history = state.history;
  if (state.exclude.length) given.exclude_ids = state.exclude;
  if (state.items.length) given.item_ids = state.items;
  if (state.k !== null) given.k = state.k;
  for (const [name, value] of Object.entries(state.features))
    if (value) given[name] = row(name, value);
  return given;
}

/** The query in the page's address, so that it can be kept and sent. */
function remember() {
  const { user, history: past, exclude, items, k, seen, weights } = state;
  const lists = { history: past.join(), exclude: exclude.join(), items: items.join() };
  const kept = Object.entries({ user, ...lists, k: k ?? "", seen: seen ? "" : "no", ...weights });
  const text = new URLSearchParams(kept.filter(([, value]) => value !== ""));
  history.replaceState(null, "", `?${text}`);
}
