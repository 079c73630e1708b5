// The page on which people try `/api/v1`: it draws what openapi.json says, and sends what they fill in.
//
// Everything is put into the page as text, never as markup. The token is kept for this tab alone, and is sent nowhere
// but to the server that the page came from.

const BASE = "/api/v1";
const METHODS = ["get", "post", "patch", "delete"];
const HEADERS = ["ETag", "Location", "Retry-After", "request-id"];
const PATIENCE_MS = 60_000;

const $ = (id) => document.getElementById(id);
const store = sessionStorage;
let description;

/** An element with attributes, handlers of events (`onclick`) and children. */
function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined));
  return element;
}

/** Prose with `words` of code in it. */
const prose = (text) => text.split("`").map((piece, index) => (index % 2 ? h("code", {}, piece) : piece));

// ---- What the document says

const resolve = (schema) =>
  schema?.$ref ? description.components.schemas[schema.$ref.split("/").at(-1)] : (schema ?? {});

/** What may stand there, in words. */
function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(", ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  if (schema.type === "object" && schema.properties) return `{ ${Object.keys(schema.properties).join(", ")} }`;
  const types = [schema.type ?? "anything"].flat().join(" or ");
  return ["date", "date-time", "uuid"].includes(schema.format) ? types.replace("string", schema.format) : types;
}

/** A value to begin with. */
function sample(schema) {
  schema = resolve(schema);
  if (schema.anyOf) return sample(schema.anyOf[0]);
  if (schema.enum) return schema.enum[0];
  switch ([schema.type].flat()[0]) {
    case "array": return [sample(schema.items)];
    case "object": return required(schema);
    case "boolean": return true;
    case "integer": case "number": return 0;
    default: return schema.format === "date" ? new Date().toISOString().slice(0, 10) : "";
  }
}

const required = (schema) =>
  Object.fromEntries((schema.required ?? []).map((name) => [name, sample(schema.properties[name])]));

const bodyOf = (operation) => operation.requestBody?.content["application/json"].schema;

/** The thing that a route answers with, if it is one. */
function answerOf(operation) {
  const schema = operation.responses["200"]?.content?.["application/json"]?.schema;
  return schema && (resolve(schema).properties?.value?.items ?? schema);
}

// ---- One route

function route({ path, method, operation }) {
  const shown = path.slice(BASE.length);
  const details = h("details", { id: operation.operationId, class: "route" },
    h("summary", {}, h("b", { class: `method ${method}` }, method.toUpperCase()), " ",
      h("code", {}, shown), " ", h("span", {}, operation.summary)));
  details.dataset.words = [method, shown, operation.summary, operation.operationId].join(" ").toLowerCase();
  details.addEventListener("toggle", () => {
    if (details.open && !details.querySelector("form")) details.append(form(path, method, operation));
  });
  return details;
}

function form(path, method, operation) {
  const id = operation.operationId;
  const fields = operation.parameters.map((parameter) => field(id, path, parameter));
  const schema = bodyOf(operation);
  const text = schema && h("textarea", { id: `${id}-body`, rows: 8, spellcheck: "false" });
  if (text) text.value = JSON.stringify(required(schema), null, 2);
  const answer = h("div", { class: "answer", tabindex: "-1" });
  const curl = h("code");
  const call = () => {
    const read = (place) => fields.filter((field) => field.parameter.in === place && field.input.value !== "");
    let url = path;
    for (const { parameter, input } of read("path")) {
      url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value.trim()));
    }
    const query = read("query").map(({ parameter, input }) => `${parameter.name}=${encodeURIComponent(input.value)}`);
    const headers = Object.fromEntries(read("header").map(({ parameter, input }) => [parameter.name, input.value]));
    return { method: method.toUpperCase(), url: url + (query.length ? `?${query.join("&")}` : ""), headers, body: text?.value };
  };
  const go = (what) => {
    curl.textContent = curlOf(what);
    return send(what, answer, (url) => go({ method: "GET", url, headers: what.method === "GET" ? what.headers : {} }));
  };
  const draw = () => {
    curl.textContent = curlOf(call());
    if (text) readBody(text, element);
  };
  const submit = (event) => {
    event.preventDefault();
    const what = call();
    if (method !== "delete" || confirm(`${what.method} ${what.url}\n\nIt is taken away for good.`)) go(what);
  };
  const answers = answerOf(operation);
  const element = h("form", { onsubmit: submit, oninput: draw },
    fields.map((field) => field.element),
    text && h("div", { class: "field wide" }, h("label", { for: text.id }, "Body (JSON)"), text),
    text && members(schema, "What it may hold: press a name to put it in, or to take it out", (name) => toggle(text, name, schema)),
    answers && members(resolve(answers), "What the answer holds"),
    h("p", {}, h("button", { class: method === "delete" ? "send danger" : "send" }, "Send")),
    h("div", { class: "curl" }, h("pre", {}, curl), h("button", { type: "button", onclick: (event) => copy(curl, event.target) }, "Copy")),
    answer);
  draw();
  return element;
}

/** A labelled input for a parameter. */
function field(prefix, path, parameter) {
  const id = `${prefix}-${parameter.name.replace(/\W/g, "")}`;
  const schema = parameter.schema;
  const words = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : undefined);
  const attributes = {
    id, required: parameter.required, autocomplete: "off", spellcheck: "false", placeholder: parameter.example,
    "aria-describedby": parameter.description && `${id}-about`,
  };
  if (schema.type === "integer") Object.assign(attributes, { inputmode: "numeric", pattern: "-?[0-9]+", title: "A whole number" });
  const input = words
    ? h("select", attributes, h("option", { value: "" }, "–"), words.map((word) => h("option", {}, word)))
    : h("input", attributes);
  if (namesOrganization(path, parameter)) {
    input.classList.add("organization");
    input.value = $("organization").value;
  }
  const label = h("label", { for: id }, h("code", {}, parameter.name), parameter.required ? h("em", {}, " required") : undefined);
  const about = parameter.description && h("p", { id: `${id}-about` }, prose(parameter.description));
  return { parameter, input, element: h("div", { class: "field" }, label, input, about || undefined) };
}

const namesOrganization = (path, { name, in: place }) =>
  place === "path" && path.startsWith(`${BASE}/organizations/{${name}}`);

/** A list of an object's members; with `choose`, each is a button. */
function members(schema, title, choose) {
  const row = ([name, member]) => h("tr", {},
    h("th", { scope: "row" },
      choose ? h("button", { type: "button", onclick: () => choose(name) }, name) : h("code", {}, name),
      schema.required?.includes(name) && choose ? h("em", {}, " required") : undefined),
    h("td", {}, h("code", {}, typeOf(member))),
    h("td", {}, prose(member.description ?? "")));
  return h("details", { class: "members" }, h("summary", {}, title),
    h("table", {}, h("thead", {}, h("tr", {}, ["Name", "Type", "About"].map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, Object.entries(schema.properties).map(row))));
}

/** Put a member into the body, or take it out. */
function toggle(text, name, schema) {
  const { [name]: present, ...rest } = JSON.parse(text.value);
  const body = present === undefined ? { ...rest, [name]: sample(schema.properties[name]) } : rest;
  text.value = JSON.stringify(body, null, 2);
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Say whether the body is JSON, and which members are in it. */
function readBody(text, form) {
  let body, problem = "";
  try { body = Object(JSON.parse(text.value)); } catch (error) { problem = `This is no JSON: ${error.message}`; }
  text.setCustomValidity(problem);
  for (const button of form.querySelectorAll(".members th button")) {
    button.disabled = !body;
    button.ariaPressed = String(body !== undefined && button.textContent in body);
  }
}

// ---- Sending

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The request as a line for a shell, whose variable TOKEN holds the token. */
function curlOf({ method, url, headers, body }) {
  const sent = { ...headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  return [
    `curl -i${method === "GET" ? "" : ` -X ${method}`} ${quote(location.origin + url)}`,
    `-H "Authorization: Bearer $TOKEN"`,
    ...Object.entries(sent).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`-d ${quote(body)}`]),
  ].join(" \\\n  ");
}

/** The answer's status, headers and text. Rejects if there is none. */
async function ask({ method, url, headers, body }) {
  const token = store.getItem("token");
  const response = await fetch(url, {
    method, body, cache: "no-store", credentials: "omit", redirect: "error", signal: AbortSignal.timeout(PATIENCE_MS),
    headers: {
      Accept: "application/json", ...headers,
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function send(call, place, follow) {
  const state = h("p", { role: "status" });
  place.replaceChildren(state);
  state.textContent = "Waiting for the answer …";
  const begun = performance.now();
  let answer;
  try {
    answer = await ask(call);
  } catch (error) {
    state.textContent = noAnswer(error);
    place.classList.add("failed");
    return;
  }
  if (!state.isConnected) return; // Something else was sent meanwhile.
  const took = Math.round(performance.now() - begun);
  const json = parse(answer.text);
  place.classList.toggle("failed", answer.status >= 400);
  state.replaceChildren(h("b", {}, String(answer.status)), ` ${meaning(answer, json)} `, h("span", {}, `${took} ms`));
  // The button goes with the answer that it belongs to; who pressed it stays here.
  const press = (url) => { place.focus(); follow(ours(url)); };
  const link = (title, url) => url && h("button", { type: "button", onclick: () => press(url) }, title);
  const heads = HEADERS.filter((name) => answer.headers.has(name));
  place.append(
    h("dl", {}, heads.map((name) => h("div", {}, h("dt", {}, name), h("dd", {}, answer.headers.get(name))))),
    h("p", {}, [link("Read what was made", answer.headers.get("Location")), link("Next page", json?.["@odata.nextLink"])].filter(Boolean)),
    answer.text
      ? h("pre", { tabindex: "0", role: "region", "aria-label": "Body of the answer" }, json === undefined ? answer.text : JSON.stringify(json, null, 2))
      : h("p", {}, "The answer has no body."));
}

/** A link's path at this server: its host may be spelled otherwise than here, and the token goes to no other. */
function ours(url) {
  const { pathname, search } = new URL(url, location.origin);
  return pathname + search;
}

const noAnswer = (error) =>
  error.name === "TimeoutError"
    ? `There was no answer for ${PATIENCE_MS / 1000} seconds. Ask for less, or look into the server’s log.`
    : `There was no answer from ${location.origin}. Look whether the server runs and this machine reaches it, and send again.`;

function meaning({ status, headers }, json) {
  const wait = headers.get("Retry-After");
  if (status === 401) {
    return store.getItem("token")
      ? "The server does not take this token: it may have run out. Make another one and put it in at the top."
      : "There is no token. Put one in at the top.";
  }
  if (wait && status >= 400) return `Send it again in ${wait} seconds. ${json?.error?.message ?? ""}`;
  if (json?.error?.message) return json.error.message;
  if (Array.isArray(json?.value)) return json.value.length ? `Rows: ${json.value.length}.` : "There are no such rows.";
  return { 201: "Made.", 204: "Done." }[status] ?? "";
}

function parse(text) {
  try { return JSON.parse(text); } catch { return undefined; }
}

async function copy(element, button) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    button.textContent = "Copied";
  } catch {
    // Browsers lend the clipboard only to pages by HTTPS or of the own machine.
    getSelection().selectAllChildren(element);
    button.textContent = "Selected: press Ctrl+C";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 3000);
}

// ---- The token and the organization

async function readOrganizations() {
  const select = $("organization");
  const say = (text, entries = []) => {
    $("access-state").textContent = text;
    const options = entries.map(({ id, name }) => h("option", { value: id, selected: id === store.getItem("organization") }, name));
    select.replaceChildren(...(options.length ? options : [h("option", { value: "" }, "None")]));
    select.disabled = !options.length;
    chooseOrganization();
  };
  $("forget").hidden = !store.getItem("token");
  if (!store.getItem("token")) return say("There is no token yet.");
  let answer;
  try {
    answer = await ask({ method: "GET", url: `${BASE}/organizations?$select=id,name`, headers: {} });
  } catch (error) {
    return say(noAnswer(error));
  }
  const json = parse(answer.text);
  if (answer.status !== 200) return say(`${answer.status}: ${meaning(answer, json)}`);
  say(json.value.length ? "The token is good." : "The token is good, but its person is in no organization: import a file, or run `goalpost demo`.", json.value);
}

function chooseOrganization() {
  const chosen = $("organization").value;
  if (chosen) store.setItem("organization", chosen);
  for (const input of document.querySelectorAll("input.organization")) {
    input.value = chosen;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function useToken(event) {
  event.preventDefault();
  const token = $("token").value.trim().replace(/^Bearer\s+/i, "");
  $("token").value = "";
  if (!/^[\w.~+/=-]+$/.test(token)) {
    $("access-state").textContent = "This is no token: it has letters, digits and dots, and no spaces.";
    return;
  }
  store.setItem("token", token);
  readOrganizations();
}

function forgetToken() {
  store.clear();
  $("token").value = "";
  $("token").focus();
  readOrganizations();
}

// ---- The list of routes

function filter() {
  const words = $("words").value.toLowerCase().split(/\s+/);
  const all = [...document.querySelectorAll(".route")];
  for (const each of all) each.hidden = !words.every((word) => each.dataset.words.includes(word));
  for (const group of $("groups").children) group.hidden = !group.querySelector(".route:not([hidden])");
  const shown = all.filter((each) => !each.hidden).length;
  $("count").textContent = shown ? `${shown} of ${all.length} routes` : "No route has all these words. Take one away.";
}

async function start() {
  const { status, text } = await ask({ method: "GET", url: `${BASE}/openapi.json`, headers: {} });
  if (status !== 200) throw new Error(`The server answers ${status}`);
  description = JSON.parse(text);
  const all = Object.entries(description.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method] })));
  $("groups").append(...description.tags.map((tag) => h("section", { "aria-labelledby": `tag-${tag.name}` },
    h("h3", { id: `tag-${tag.name}` }, tag.name), h("p", {}, tag.description),
    all.filter(({ operation }) => operation.tags.includes(tag.name)).map(route))));
  filter();
  const named = $(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) { named.open = true; named.scrollIntoView(); }
}

$("access").addEventListener("submit", useToken);
$("forget").addEventListener("click", forgetToken);
$("organization").addEventListener("change", chooseOrganization);
$("words").addEventListener("input", filter);
start().catch((error) => { $("count").textContent = `The routes cannot be read (${error.message}). Load the page again.`; });
readOrganizations();
