// Forms. One with data-to says which act it is: the body has its fields, and {name} in its address stands for one of them.
// A form of method GET filters: its fields become the query of the address.
//
// data-type="number" and "boolean" say what a field is sent as; an empty field is left out, unless it has data-empty; with
// data-empty="null" it is sent as null. A form with data-changed sends the fields that were changed, and
// those that are hidden.
// A file is read here, as its data-as says: "base64" or "text". A <template> in the form is shown with the answer of
// the act instead of going on: {name} in its text, and in data-said, stands for what the answer has. With data-anew, the
// page itself says why the act failed, and is shown anew.

import { Stranger, ask, go, load, problem, say, stranger, words } from "/page.js";
import { dress, wipe } from "/dress.js";

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}

async function fileOf(input) {
  const file = input.files[0];
  if (!file) return "";
  return input.dataset.as === "text" ? file.text() : base64(new Uint8Array(await file.arrayBuffer()));
}

async function valueOf(field) {
  const is = field.dataset.type;
  if (field.type === "file") return fileOf(field);
  if (field.type === "checkbox") return is === "boolean" ? field.checked : field.checked ? field.value : "";
  if (field.type === "radio" && !field.checked) return undefined;
  if (field.value === "") return { "": "", null: null }[field.dataset.empty];
  if (is === "number") return Number(field.value);
  if (is === "boolean") return field.value === "true";
  return field.value;
}

async function fieldsOf(form) {
  const fields = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || field.type === "submit" || field.type === "button") continue;
    if (form.hasAttribute("data-changed") && field.type !== "hidden" && field.value === field.defaultValue) continue;
    const value = await valueOf(field);
    if (value !== undefined && (value !== "" || field.hasAttribute("data-empty"))) fields[field.name] = value;
  }
  return fields;
}

function filter(form, submitter) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter)) if (typeof value === "string" && value !== "") query.append(name, value);
  const to = form.getAttribute("action") || location.pathname;
  go(to + (query.size ? "?" + query : ""), "field");
}

// Takes away what was wrong with the last attempt.
function clear(form) {
  document.querySelector("#why")?.remove();
  form.querySelector(":scope > [role=alert]")?.remove();
  for (const it of form.querySelectorAll("[aria-invalid]")) {
    it.removeAttribute("aria-invalid");
    it.removeAttribute("aria-describedby");
  }
}

function alert(form, it) {
  const box = words(it);
  if (!form.isConnected) return say(box.firstChild.textContent);
  say("");
  clear(form);
  box.setAttribute("role", "alert");
  box.id = "why";
  form.append(box);
  dress(box);
  const bad = it.field && form.elements[it.field];
  if (!bad?.setAttribute || bad.type === "hidden") return;
  bad.setAttribute("aria-invalid", "true");
  bad.setAttribute("aria-describedby", box.id);
  bad.focus();
}

// Puts what the answer has into a text.
function told(text, answer) {
  return text.replace(/\{(\w+)\}/g, (all, name) => answer[name] ?? all);
}

// Shows what the answer has, once.
function reveal(form, answer) {
  const copy = form.querySelector("template").content.cloneNode(true);
  const walker = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) walker.currentNode.data = told(walker.currentNode.data, answer);
  const box = document.createElement("section");
  box.className = "revealed";
  box.tabIndex = -1;
  box.append(copy);
  form.replaceWith(box);
  dress(box);
  box.focus();
}

async function act(form) {
  if (form.getAttribute("aria-busy") === "true") return;
  const filled = (address, fields) => address.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(fields[name] ?? ""));
  const buttons = [...form.querySelectorAll("button")].filter((it) => it.type === "submit");
  const busy = (is) => {
    form.setAttribute("aria-busy", is);
    for (const it of buttons) it.disabled = is;
  };
  const focused = document.activeElement;
  busy(true);
  let answer;
  let then;
  try {
    const fields = await fieldsOf(form);
    const to = filled(form.dataset.to, fields);
    then = form.dataset.then && filled(form.dataset.then, fields);
    if (form.hasAttribute("data-changed") && Object.keys(fields).every((it) => form.elements[it]?.type === "hidden")) {
      alert(form, { title: "Nothing was changed in these fields." });
      return;
    }
    for (const [, name] of form.dataset.to.matchAll(/\{(\w+)\}/g)) delete fields[name];
    answer = await ask(form.dataset.method, to, fields);
    if (answer === null) return;
  } catch (error) {
    const gone = { title: "The gateway does not answer.", hints: ["Nothing typed here is lost. Start the gateway again, and try once more."] };
    const unread = { title: "The file cannot be read." };
    alert(form, error instanceof Stranger ? stranger : error instanceof TypeError ? gone : unread);
    return;
  } finally {
    busy(false);
    // A button that cannot be pressed loses it.
    if (document.activeElement === document.body && form.contains(focused)) focused.focus({ preventScroll: true });
  }
  if (!answer.ok) {
    const it = await problem(answer);
    if (!form.isConnected || !form.hasAttribute("data-anew")) return alert(form, it);
    return load({ focus: "heading" });
  }
  const made = answer.status === 204 ? {} : await answer.json();
  say(told(form.dataset.said || "", made));
  // A slow act ends on another page, where something may have been typed meanwhile.
  if (!form.isConnected) return;
  wipe(form);
  form.reset();
  if (form.querySelector("template")) reveal(form, made);
  else if (then) go(then);
  else load({ focus: "heading" });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || event.defaultPrevented) return;
  event.preventDefault();
  if (form.dataset.to) act(form);
  else filter(form, event.submitter);
});
