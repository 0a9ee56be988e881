// The REST API: what is asked, as JSON in columns, and what is answered.

const setup = JSON.parse(document.getElementById("setup").textContent);
const address = `/v1/models/${encodeURIComponent(setup.model)}`;
let signatures; // of the version that answers: inputs, outputs and defaults by name
let main; // the name of the signature that the page is about

const has = (name) => name in signatures[main].inputs;

/** Parses JSON; integers that a double cannot hold stay as they were written, as text. */
function parse(text) {
  const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  try {
    return JSON.parse(text.replace(token, (one) => (/^-?\d{16,}$/.test(one) ? `"${one}"` : one)));
  } catch {
    throw new Error("The server's answer is no JSON.");
  }
}

/** GET, or POST where there is a body; throws an Error with the server's sentence. */
async function ask(path, body, signal) {
  const how = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body } : {};
  let answer;
  try {
    answer = await fetch(address + path, { ...how, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer. Is it still running?");
  }
  const found = parse(await answer.text());
  if (!answer.ok) throw new Error(found.error ?? `The server answered ${answer.status}.`);
  return found;
}

/** One value as JSON for an input: ids of any length are written as they are. */
function written(signature, name, value) {
  const type = signatures[signature].inputs[name].dtype;
  const text = String(value).trim();
  if (type === "DT_STRING") return JSON.stringify(value);
  if (type.includes("INT") && !/^-?(0|[1-9]\d*)$/.test(text))
    throw new Error(`${name} holds whole numbers: found '${value}'.`);
  if (type === "DT_FLOAT" && (text === "" || !Number.isFinite(+text)))
    throw new Error(`${name} is a number: found '${value}'.`);
  return type === "DT_FLOAT" ? String(+text) : text;
}

/** The outputs for one query. inputs: a value, or the list of a row, by name. */
async function predict(signature, inputs, signal) {
  const columns = Object.entries(inputs)
    .filter(([name]) => name in signatures[signature].inputs)
    .map(([name, value]) => {
      const one = (each) => written(signature, name, each);
      const row = Array.isArray(value) ? `[${value.map(one)}]` : one(value);
      return `${JSON.stringify(name)}: [${row}]`;
    });
  const body = `{"signature_name": ${JSON.stringify(signature)}, "inputs": {${columns}}}`;
  return (await ask(":predict", body, signal)).outputs;
}

/** The first value of an input's default, whichever way its tensor holds it. */
function defaultOf(name) {
  const tensor = signatures[main].defaults?.[name];
  if (!tensor?.tensor_content) return tensor?.float_val?.[0] ?? tensor?.int_val?.[0];
  const bytes = Uint8Array.from(atob(tensor.tensor_content), (one) => one.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return tensor.dtype === "DT_FLOAT" ? view.getFloat32(0, true) : view.getInt32(0, true);
}
