// What script adds to a part of the page: how long ago, copying, showing what is typed. And what it takes away again.

const LENGTHS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];
const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

function ago(text) {
  const seconds = (Date.parse(text) - Date.now()) / 1000;
  if (Number.isNaN(seconds)) return text;
  for (const [unit, length] of LENGTHS)
    if (Math.abs(seconds) >= length) return format.format(Math.trunc(seconds / length), unit);
  return "just now";
}

function tell(root) {
  for (const it of root.querySelectorAll("time[datetime]")) {
    const words = ago(it.dateTime);
    if (it.textContent !== words) it.textContent = words;
  }
}

function button(text, name, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.setAttribute("aria-label", name);
  made.addEventListener("click", () => act(made));
  return made;
}

async function copy(from, made) {
  try {
    await navigator.clipboard.writeText(from.textContent.trim());
    made.textContent = "Copied";
  } catch {
    // It may be forbidden: then it is selected, to be copied by hand.
    getSelection().selectAllChildren(from);
    made.textContent = "Selected";
  }
  document.getElementById("said").textContent = made.textContent + ".";
  setTimeout(() => (made.textContent = "Copy"), 2000);
}

function wrap(element, name) {
  const box = document.createElement("div");
  box.className = name;
  element.replaceWith(box);
  box.append(element);
  return box;
}

// Adds to a part what only script can do.
export function dress(root) {
  for (const it of root.querySelectorAll("time[datetime]")) {
    const time = new Date(it.dateTime);
    if (!Number.isNaN(time.valueOf())) it.title = time.toLocaleString();
  }
  tell(root);
  for (const it of root.querySelectorAll("pre.command:not(.copyable > *)")) {
    it.tabIndex = 0;
    it.setAttribute("role", "group");
    it.setAttribute("aria-label", it.dataset.name || "Command");
    const name = it.dataset.name ? "Copy " + it.dataset.name : "Copy " + it.textContent.trim().split("\n")[0].slice(0, 60);
    wrap(it, "copyable").append(button("Copy", name, (made) => copy(it, made)));
  }
  for (const it of root.querySelectorAll("form[data-to] :is(input, textarea)")) {
    it.setAttribute("autocomplete", "off");
    it.setAttribute("spellcheck", "false");
  }
  for (const it of root.querySelectorAll("textarea.veiled:not([data-secret])")) {
    it.dataset.secret = "";
    for (const name of ["data-1p-ignore", "data-lpignore", "data-bwignore"]) it.setAttribute(name, "true");
    wrap(it.closest("label") || it, "secret").append(button("Show", "Show what is typed", (made) => {
      const hidden = !it.classList.toggle("veiled");
      made.textContent = hidden ? "Hide" : "Show";
      made.setAttribute("aria-label", hidden ? "Hide what is typed" : "Show what is typed");
      it.focus();
    }));
  }
  root.querySelectorAll("table").forEach(label);
  // What is wider than the page scrolls in a box of its own, also by keyboard.
  for (const it of root.querySelectorAll("table:not(.scroll > *)")) wrap(it, "scroll");
  for (const it of root.querySelectorAll(".scroll, pre.log")) {
    it.tabIndex = 0;
    if (it.classList.contains("scroll")) it.setAttribute("role", "region");
    else it.setAttribute("role", "group");
    it.setAttribute("aria-label", it.dataset.name || it.querySelector("caption")?.textContent || title(it));
  }
}

// On narrow screens, rows are cards: each cell says what it is, and what a table is has to be said again.
export function label(table) {
  const heads = [...table.querySelectorAll("thead th")].map((it) => (it.querySelector(".hidden") ? "" : it.textContent));
  const set = (element, role) => element?.setAttribute("role", role);
  set(table, "table");
  for (const it of table.children) if (it.tagName !== "CAPTION") set(it, "rowgroup");
  for (const it of table.querySelectorAll("thead th")) set(it, "columnheader");
  for (const row of table.rows) {
    set(row, "row");
    if (row.parentNode.tagName === "THEAD") continue;
    [...row.cells].forEach((cell, at) => {
      set(cell, cell.tagName === "TH" ? "rowheader" : "cell");
      if (cell.tagName === "TD" && heads[at]) cell.dataset.label = heads[at];
    });
  }
}

// The heading above an element.
function title(element) {
  let found = "Table";
  for (const it of document.querySelectorAll("main :is(h1, h2, h3)"))
    if (it.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) found = it.textContent;
  return found;
}

// Forgets what was typed into a form.
export function wipe(form) {
  for (const it of form.querySelectorAll("input, textarea")) if (!["checkbox", "radio", "hidden"].includes(it.type)) it.value = "";
}

// Forgets what was typed into the forms of acts.
export function undress(root) {
  root.querySelectorAll("form[data-to]").forEach(wipe);
}

setInterval(() => tell(document), 10000);
