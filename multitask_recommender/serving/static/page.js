// What happens: the model is read, the form made, and each change of it asked about.

const [about, form, title, fault, told, result] = [
  "about",
  "form",
  "title",
  "fault",
  "told",
  "result",
].map((id) => document.getElementById(id));
let running; // the latest question; an earlier one that is answered late is not shown

async function recommend() {
  running?.abort();
  const mine = (running = new AbortController());
  remember();
  const start = performance.now();
  try {
    const isEmpty = has("item_ids") && !state.items.length;
    const found = isEmpty ? null : await predict(main, inputs(), mine.signal);
    if (mine !== running) return;
    const rows = found ? rowsOf(found) : [];
    const text = summary(rows, found?.source?.[0], performance.now() - start);
    show("", isEmpty ? "Add the items to rank." : text, rows);
  } catch (error) {
    if (error.name !== "AbortError" && mine === running) show(error.message, "", []);
  }
}

function show(wrong, text, rows) {
  fault.textContent = wrong;
  told.textContent = text;
  result.replaceChildren(...(rows.length ? [table(rows)] : []));
}

async function begin() {
  const { model_spec: spec, metadata } = await ask("/metadata");
  signatures = metadata.signature_def.signature_def;
  about.textContent = `Version ${spec.version}, served by a local stand-in for TensorFlow Serving.`;
  main = ["recommend", "rank"].find((name) => name in signatures);
  if (!main) throw new Error("The model has no signature 'recommend' or 'rank' to show.");
  if (main === "rank") title.textContent = "Ranked";
  form.append(...controls());
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  for (const show of shows) show();
  await recommend();
}

begin().catch((error) => show(error.message, "", []));
