// Search over everything, with / or the button.

import { go, problem, send, visible } from "/page.js";

const dialog = document.getElementById("finder");
const input = dialog.querySelector("input");
const list = dialog.querySelector("ul");
const note = dialog.querySelector("p");
let asked = 0;
let timer;
// What the results are of, and whether the first one is taken as soon as they are of what is typed.
let found = null;
let isTaken = false;

function open() {
  if (dialog.open) return;
  input.value = "";
  found = null;
  isTaken = false;
  empty("Type to search scopes, secrets, servers, clients and pages.");
  dialog.showModal();
  find();
}

function empty(text) {
  list.replaceChildren();
  note.textContent = text;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function choose(index) {
  const items = [...list.children];
  const at = items.length ? (index + items.length) % items.length : -1;
  items.forEach((it, i) => it.setAttribute("aria-selected", String(i === at)));
  if (at < 0) return;
  input.setAttribute("aria-activedescendant", items[at].id);
  items[at].scrollIntoView({ block: "nearest" });
}

function chosen() {
  return [...list.children].findIndex((it) => it.getAttribute("aria-selected") === "true");
}

async function find() {
  clearTimeout(timer);
  const mine = ++asked;
  const wanted = input.value.trim();
  const answer = await send("GET", "/api/v1/search?q=" + encodeURIComponent(wanted));
  if (answer === null) return dialog.close();
  const body = answer.ok ? await answer.json() : await problem(answer);
  if (mine !== asked || !dialog.open) return;
  found = wanted;
  if (!answer.ok) return empty(body.title);
  const items = body.results.map((it, index) => {
    const item = document.createElement("li");
    item.id = "found-" + index;
    item.setAttribute("role", "option");
    item.dataset.address = it.address;
    for (const [name, text] of [["name", it.name], ["detail", it.detail ?? ""], ["kind", it.kind]]) {
      const part = item.appendChild(document.createElement("span"));
      part.className = name;
      part.textContent = visible(text);
    }
    return item;
  });
  if (!items.length) return empty("Nothing has “" + wanted + "” in its name.");
  list.replaceChildren(...items);
  note.textContent = items.length === 1 ? "1 result" : items.length + " results";
  if (body.is_full) note.textContent = `The first ${items.length} results: type more of the name`;
  input.setAttribute("aria-expanded", "true");
  choose(0);
  if (isTaken) take(items[0]);
}

function take(item) {
  if (!item) return;
  dialog.close();
  go(item.dataset.address);
}

// Takes what is selected, once the results are there.
function enter() {
  if (found === input.value.trim()) return take(list.children[chosen()]);
  isTaken = true;
  find();
}

input.addEventListener("input", () => {
  isTaken = false;
  clearTimeout(timer);
  timer = setTimeout(find, 100);
});

input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const to = { ArrowDown: chosen() + 1, ArrowUp: chosen() - 1 }[event.key];
  if (to !== undefined) choose(to);
  else if (event.key === "Enter") enter();
  else return;
  event.preventDefault();
});

list.addEventListener("click", (event) => take(event.target.closest("li")));
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
document.getElementById("search").addEventListener("click", open);

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
  event.preventDefault();
  open();
});
