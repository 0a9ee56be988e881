// The answer: a row an item, with a bar for each task, and what can be done with the item.

const OF_ITEMS = new Set(["item_ids", "scores", "source", "num_items"]); // all others are tasks
const HUES = ["#3b74e7", "#d9752b", "#2c9a6b", "#b0479f", "#8a7a1f", "#5b6577"];
const SOURCES = {
  user: "what the model learnt of this user",
  history: "the given history",
  features: "the given features",
  popularity: "what is popular: it knows nothing of this user",
};

/** The items of an answer to one query, the best first: id, score, a number for each task. */
function rowsOf(found) {
  const items = found.item_ids?.[0] ?? state.items;
  const tasks = Object.keys(found)
    .filter((name) => !OF_ITEMS.has(name))
    .sort();
  const rows = items.slice(0, found.num_items?.[0] ?? items.length).map((item, place) => ({
    item: String(item),
    score: found.scores[0][place],
    tasks: Object.fromEntries(tasks.map((name) => [name, found[name][0][place]])),
  }));
  return found.item_ids ? rows : rows.sort((one, other) => other.score - one.score);
}

/** What is said of an answer that took so long. */
function summary(rows, source, milliseconds) {
  if (!rows.length) return "Nothing is left to recommend.";
  const from = source ? `, from ${SOURCES[source] ?? source}` : "";
  const items = rows.length === 1 ? "1 item" : `${rows.length} items`;
  return `${items} in ${Math.round(milliseconds)} ms${from}.`;
}

function table(rows) {
  const tasks = Object.keys(rows[0].tasks);
  const best = tasks.map((name) => Math.max(...rows.map((row) => row.tasks[name]), 1e-12));
  const title = "Bars are relative to the highest of these items";
  const head = make(
    "tr",
    {},
    make("th", { scope: "col" }, "#"),
    make("th", { scope: "col" }, "Item"),
    make("th", { scope: "col", class: "number" }, "Score"),
    ...tasks.map((name) => make("th", { scope: "col", title }, name)),
    make("td", {}),
  );
  const body = make("tbody");
  rows.forEach((row, place) => {
    const bars = tasks.map((name, at) =>
      bar(name, row.tasks[name], best[at], HUES[at % HUES.length]),
    );
    const line = make("tr", { "data-item": row.item });
    line.append(
      make("td", { class: "soft place" }, String(place + 1)),
      make("td", {}, nameOf(row.item, line)),
      make("td", { class: "number", "data-name": "score" }, shown(row.score)),
      ...bars,
      make("td", { class: "does" }, ...deeds(row.item)),
    );
    body.append(line);
  });
  return make("table", {}, make("thead", {}, head), body);
}

function bar(name, value, best, hue) {
  const width = `${Math.max(0, (100 * value) / best)}%`;
  const drawn = make("i", {}, make("b", { style: `width: ${width}; background: ${hue}` }));
  const number = make("span", {}, shown(value));
  return make("td", { "data-name": name }, make("div", { class: "bar" }, drawn, number));
}

function shown(value) {
  const isOdd = Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3);
  return isOdd ? value.toExponential(2) : value.toFixed(3);
}

/** An item's id: a button for similar ones, where the model can tell of them. */
function nameOf(item, line) {
  if (!("similar_items" in signatures)) return make("strong", {}, item);
  const name = button(item, "Show similar items", () => toggleSimilar(item, line, name));
  name.className = "item";
  name.removeAttribute("aria-label"); // it is called by its item
  name.setAttribute("aria-expanded", "false");
  return name;
}

function deeds(item) {
  const act = (key) => () => {
    change(() => state[key].push(item));
    document.getElementById("title").focus(); // the button is about to go
  };
  const does = [];
  if (has("history")) does.push(button("+ history", `Add ${item} to the history`, act("history")));
  if (has("exclude_ids")) does.push(button("leave out", `Leave out ${item}`, act("exclude")));
  return does;
}

async function toggleSimilar(item, line, name) {
  const isOpen = name.getAttribute("aria-expanded") === "true";
  name.setAttribute("aria-expanded", String(!isOpen));
  line.classList.toggle("open", !isOpen);
  if (isOpen) return line.nextElementSibling.remove();
  const cell = make("td", { colspan: line.children.length }, "…");
  line.after(make("tr", { class: "similar" }, cell));
  try {
    cell.replaceChildren(
      ...similar(item, await predict("similar_items", { item_id: item, k: state.k })),
    );
  } catch (error) {
    cell.replaceChildren(error.message);
  }
}

/** What is shown of the items similar to one. */
function similar(item, found) {
  const near = found.item_ids[0].slice(0, found.num_items?.[0]).map((one, place) => {
    const score = make("small", { class: "soft" }, ` ${shown(found.scores[0][place])}`);
    const add = () => change(() => state.history.push(String(one)));
    const chip = button(String(one), `Add ${one} to the history`, add);
    chip.append(score);
    return make("li", {}, chip);
  });
  const text = near.length
    ? `Similar to ${item}; a click adds to the history:`
    : `Nothing is similar to ${item}.`;
  return [make("span", { class: "soft" }, text), make("ul", { class: "chips" }, ...near)];
}
