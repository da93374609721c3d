"use strict";

// The session is of this tab and this origin alone: other origins cannot read it, and the browser sends it nowhere by itself.
const TOKEN = "mcplexer";
const main = document.getElementById("main");
const said = document.getElementById("said");
let latest = 0;

function show(template) {
  main.replaceChildren(document.getElementById(template).content.cloneNode(true));
  main.removeAttribute("aria-busy");
}

// Sends a request with the token. Returns null when there is nobody to answer, or no session any more.
async function send(method, path, body) {
  const headers = { authorization: "Bearer " + (sessionStorage.getItem(TOKEN) || "") };
  if (body !== undefined) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" });
  } catch {
    show("gone");
    return null;
  }
  if (answer.status === 401 && path !== "/api/v1/session") {
    sessionStorage.removeItem(TOKEN);
    show("ended");
    return null;
  }
  return answer;
}

async function problem(answer) {
  try {
    return await answer.json();
  } catch {
    return { title: "the gateway answered with " + answer.status, hints: [] };
  }
}

function words(it) {
  const box = document.createElement("div");
  const title = document.createElement("p");
  title.textContent = it.title;
  box.append(title);
  for (const hint of it.hints || []) {
    const line = document.createElement("p");
    line.className = "hint";
    line.textContent = hint;
    box.append(line);
  }
  return box;
}

// Fetches what belongs into the frame. A slower answer to an earlier question is dropped.
async function load(focus) {
  const mine = ++latest;
  main.setAttribute("aria-busy", "true");
  for (const link of document.querySelectorAll("nav a")) {
    const to = link.getAttribute("href");
    const here = to === "/" ? location.pathname === "/" : (location.pathname + "/").startsWith(to + "/");
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const answer = await send("GET", "/parts" + location.pathname + location.search);
  if (answer === null || mine !== latest) return;
  if (answer.ok) {
    const text = await answer.text();
    if (mine !== latest) return;
    main.innerHTML = text;
  } else {
    const box = words(await problem(answer));
    box.className = "state";
    main.replaceChildren(box);
  }
  main.removeAttribute("aria-busy");
  const heading = main.querySelector("h1");
  document.title = heading ? heading.textContent + " · mcplexer" : "mcplexer";
  for (const it of main.querySelectorAll("time")) it.textContent = ago(it.dateTime);
  if (focus) main.focus({ preventScroll: true });
}

function ago(text) {
  const seconds = (Date.parse(text) - Date.now()) / 1000;
  const units = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, length] of units)
    if (Math.abs(seconds) >= length) return format.format(Math.trunc(seconds / length), unit);
  return "just now";
}

function go(address) {
  history.pushState(null, "", address);
  load(true).then(() => scrollTo(0, 0));
}

function say(text) {
  said.textContent = text;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (link && link.origin === location.origin && !link.hash && !link.target && event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) {
    event.preventDefault();
    go(link.pathname + link.search);
  }
  if (event.target.closest("[data-again]")) load(true);
});

// Another ticket in the same tab changes nothing but what stands behind the "#".
const hasTicket = () => location.hash.startsWith("#t=");
addEventListener("popstate", () => hasTicket() || load(true));
addEventListener("hashchange", () => hasTicket() && start());

// A form says which act it is: the body has its fields, and {name} in its address stands for one of them.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  event.preventDefault();
  const fields = {};
  for (const [name, value] of new FormData(form)) if (value !== "") fields[name] = value;
  const filled = (address) => address.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(fields[name] || ""));
  const [to, then] = [filled(form.dataset.to), form.dataset.then && filled(form.dataset.then)];
  for (const [, name] of form.dataset.to.matchAll(/\{(\w+)\}/g)) delete fields[name];
  const button = form.querySelector("button");
  button.disabled = true;
  const answer = await send(form.dataset.method, to, fields);
  button.disabled = false;
  if (answer === null) return;
  form.querySelector("[role=alert]")?.remove();
  if (!answer.ok) {
    const box = words(await problem(answer));
    box.setAttribute("role", "alert");
    form.append(box);
    return;
  }
  form.reset();
  say("Done.");
  if (then) go(then);
  else load();
});

async function start() {
  const ticket = hasTicket() ? location.hash.slice(3) : "";
  if (ticket) {
    history.replaceState(null, "", location.pathname + location.search);
    const answer = await send("POST", "/api/v1/session", { ticket });
    if (answer === null) return;
    if (answer.ok) sessionStorage.setItem(TOKEN, (await answer.json()).token);
  }
  load();
}

start();
