// The frame's script: it fetches what belongs into <main>, and sends what forms and other scripts ask for.

import { dress, undress } from "/dress.js";
import "/forms.js";
import "/search.js";

// The session is of this tab and this origin alone: other origins cannot read it, and the browser sends it nowhere by itself.
// Once it has ended, it is empty.
const TOKEN = "mcplexer";
const ID = "mcplexer-id";
const KEY = "mcplexer-key";
const SESSION = "/api/v1/session";
const main = document.getElementById("main");
let stop = new AbortController();
let shown = "";

function hereNow() {
  return location.pathname + location.search;
}

// Shows a state that the frame has as a template.
export function show(template) {
  stop.abort();
  put(document.getElementById(template).content.cloneNode(true));
  shown = "";
}

// Puts nodes into <main>. What was typed into the old ones is wiped first.
function put(...nodes) {
  undress(main);
  main.replaceChildren(...nodes);
  main.removeAttribute("aria-busy");
  const heading = main.querySelector("h1");
  document.title = heading ? heading.textContent + " · mcplexer" : "mcplexer";
  heading?.setAttribute("tabindex", "-1");
  dress(main);
}

// Who answers is not the gateway with which the session began: that has ended, or has ended the session.
export class Stranger extends Error {}

export const stranger = {
  title: "The session has ended, or another program answers here.",
  hints: ["Nothing was sent, and what is typed here is still there. mcplexer ui opens the page again."],
};

function end() {
  sessionStorage.setItem(TOKEN, "");
  sessionStorage.removeItem(ID);
  sessionStorage.removeItem(KEY);
}

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (it) => it.charCodeAt(0));
const text = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// Has the gateway prove who it is, before the token or anything else is sent: after its end, another program can have its address.
// Returns whether the session goes on. Fails with a Stranger if who answers does not prove it, and ends the session in this tab.
async function prove(signal) {
  const id = sessionStorage.getItem(ID);
  if (!id) return false;
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const answer = await fetch(`${SESSION}/proof?session=${id}&nonce=${text(nonce)}`, { cache: "no-store", redirect: "error", signal });
  if (answer.status === 401) return false;
  // It fails if the connection ends meanwhile, or this page: that says nothing of who answers.
  const said = await answer.text();
  let proven = false;
  try {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", bytes(sessionStorage.getItem(KEY)), algorithm, false, ["verify"]);
    proven = answer.ok && (await crypto.subtle.verify("HMAC", key, bytes(JSON.parse(said).proof), nonce));
  } catch {}
  if (signal?.aborted) throw signal.reason;
  if (proven) return true;
  end();
  throw new Stranger();
}

// What carries fields goes out one at a time, each with a proof of its own: a proof says nothing of a request that waits in the
// browser for one of its six connections.
let before = Promise.resolve();

function inTurn(act) {
  const done = before.then(act);
  before = done.catch(() => {});
  return done;
}

// Sends a request with the token, to the gateway alone. Fails with a TypeError if nobody answers, with a Stranger if
// somebody else does, with an AbortError if it was stopped. Returns null if there is no session any more, which the page says then.
export function ask(method, path, body, signal) {
  // What has no field, such as the start of a server, may take seconds, and holds up nothing.
  const isTyped = body !== undefined && Object.keys(body).length > 0;
  return isTyped ? inTurn(() => askNow(method, path, body, signal)) : askNow(method, path, body, signal);
}

async function askNow(method, path, body, signal) {
  const headers = {};
  if (path !== SESSION) {
    if (!(await prove(signal))) {
      ended();
      return null;
    }
    headers.authorization = "Bearer " + sessionStorage.getItem(TOKEN);
  }
  if (body !== undefined) headers["content-type"] = "application/json";
  body = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetch(path, { method, headers, body, cache: "no-store", redirect: "error", signal });
  if (answer.status === 401 && path !== SESSION) {
    ended();
    return null;
  }
  return answer;
}

// Says that the session has ended. What was typed stays.
function ended() {
  end();
  const isTyped = (it) => it.type !== "hidden" && it.value !== it.defaultValue && it.matches("textarea, input:not([type=checkbox], [type=radio])");
  if (![...main.querySelectorAll("form[data-to] *")].some(isTyped)) return show("ended");
  if (main.querySelector(":scope > .over")) return;
  stop.abort();
  const copy = document.getElementById("ended").content.cloneNode(true);
  const box = copy.firstElementChild;
  box.classList.add("over");
  box.tabIndex = -1;
  const heading = document.createElement("h2");
  heading.append(...box.querySelector("h1").childNodes);
  box.querySelector("h1").replaceWith(heading);
  main.prepend(copy);
  main.removeAttribute("aria-busy");
  dress(box);
  box.focus();
  scrollTo(0, 0);
}

// Markup of our own, in which everything foreign is escaped, as nodes.
function nodes(text) {
  const made = document.createElement("template");
  made.innerHTML = text;
  return made.content;
}

// The same, for who has nothing to lose: if nobody answers, the page says so and null is returned.
export async function send(method, path, body, signal) {
  try {
    return await ask(method, path, body, signal);
  } catch (error) {
    if (error instanceof Stranger) show("ended");
    else if (error.name !== "AbortError") show("gone");
    return null;
  }
}

// Reads why something was not done.
export async function problem(answer) {
  try {
    const it = await answer.json();
    if (typeof it.title === "string") return it;
  } catch {}
  return { status: answer.status, title: "The gateway answered with " + answer.status + ".", hints: [] };
}

// Writes characters that nobody sees, or that reorder what people see, as escapes: as the pages do that the gateway makes.
export function visible(text) {
  const escape = (it) => `\\u{${it.codePointAt(0).toString(16)}}`;
  return String(text).replace(/[\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]|[^\P{Cc}\n\t]/gu, escape);
}

// Shows why something was not done, and what to do.
export function words(it) {
  const box = document.createElement("div");
  box.className = "problem";
  // A name that it begins with stays as it is, such as that of a file.
  const title = /^\p{L}+( |$)/u.test(it.title) ? it.title.charAt(0).toUpperCase() + it.title.slice(1) : it.title;
  const more = it.more || [];
  [title, ...more, ...(it.hints || [])].forEach((text, at) => {
    const line = box.appendChild(document.createElement("p"));
    line.className = at > more.length ? "hint" : "title";
    line.textContent = visible(text);
  });
  return box;
}

let saying;

// Says it to people who do not see the page, and for a moment to those who do.
export function say(text) {
  const said = document.getElementById("said");
  said.textContent = "";
  clearTimeout(saying);
  saying = setTimeout(() => (said.textContent = text), 50);
}

function markPlace() {
  for (const link of document.querySelectorAll("nav a")) {
    const to = link.getAttribute("href");
    const here = to === "/" ? location.pathname === "/" : (location.pathname + "/").startsWith(to + "/");
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// Fetches what belongs into the frame. A slower answer to an earlier question is dropped.
// `focus`: "heading" moves it to the heading, "field" to the field that has it now; `y` is where to scroll to.
export async function load({ focus, y } = {}) {
  stop.abort();
  const mine = (stop = new AbortController());
  const field = document.activeElement?.name;
  main.setAttribute("aria-busy", "true");
  markPlace();
  const token = sessionStorage.getItem(TOKEN);
  if (!token) return show(token === "" ? "ended" : "none");
  const answer = await send("GET", "/parts" + hereNow(), undefined, mine.signal);
  if (answer === null || mine.signal.aborted) return;
  if (answer.ok) {
    const text = await answer.text().catch(() => null);
    if (mine.signal.aborted) return;
    if (text === null) return show("gone");
    const part = nodes(text);
    // What takes no longer than this comes with the rest, so that nothing jumps; and nobody sees the rest later for it.
    // What has its place kept, or nothing below, is not waited for.
    const begin = (which) => [...part.querySelectorAll("[data-part]:not([hidden])" + which)].map((it) => fill(it, mine.signal));
    begin("[data-later]");
    const slow = begin(":not([data-later])");
    if (slow.length) await Promise.race([Promise.all(slow), new Promise((done) => setTimeout(done, 40))]);
    if (mine.signal.aborted) return;
    put(part);
  } else {
    const it = await problem(answer);
    if (mine.signal.aborted) return;
    const state = document.getElementById(it.status === 423 ? "locked" : it.status === 404 ? "missing" : "failed");
    const copy = state.content.cloneNode(true);
    copy.querySelector(".why").replaceChildren(words(it));
    put(copy);
  }
  shown = hereNow();
  const old = focus === "field" && field && main.querySelector(`form [name="${CSS.escape(field)}"]`);
  const target = old || (focus && (main.querySelector("h1") || main));
  if (target) target.focus({ preventScroll: true });
  if (y !== undefined) scrollTo(0, y);
}

// Fetches a part that takes longer, into the element that names it.
async function fill(element, signal) {
  element.setAttribute("aria-busy", "true");
  let made;
  try {
    const answer = await ask("GET", element.dataset.part, undefined, signal);
    if (answer === null) return;
    made = answer.ok ? nodes(await answer.text()) : words(await problem(answer));
  } catch (error) {
    if (error.name === "AbortError") return;
    made = words({ title: "This part could not be loaded." });
  }
  if (signal.aborted) return;
  element.replaceChildren(made);
  element.removeAttribute("aria-busy");
  if (element.isConnected) dress(element);
}

// Fetches a part anew that is shown. What was opened in it stays open, and the focus where it was.
export async function renew(element, path) {
  const of = (which) => [...element.querySelectorAll(which)];
  const answer = await ask("GET", path, undefined, stop.signal).catch((error) => {
    if (error instanceof Stranger) ended();
    return null;
  });
  if (!answer?.ok) return;
  const text = await answer.text().catch(() => null);
  if (text === null || !element.isConnected) return;
  const open = of("details").map((it) => it.open);
  const focused = of("a, button, summary").indexOf(document.activeElement);
  element.replaceChildren(nodes(text));
  dress(element);
  of("details").forEach((it, at) => (it.open = Boolean(open[at])));
  of("a, button, summary")[focused]?.focus({ preventScroll: true });
}

// What changes by itself is looked at now and then, while somebody sees it. That does not prolong the session.
setInterval(() => {
  if (document.visibilityState !== "visible" || !sessionStorage.getItem(TOKEN)) return;
  for (const it of main.querySelectorAll("[data-fresh]")) renew(it, it.dataset.fresh);
}, 5000);

// Goes to another address of the page.
export function go(address, focus = "heading") {
  keepPlace();
  history.pushState(null, "", address);
  load({ focus, y: focus === "heading" ? 0 : undefined });
}

// Remembers how far this entry of the history is scrolled.
function keepPlace() {
  if (shown === hereNow()) history.replaceState({ y: scrollY }, "");
}

// Whether a link leads to another place of the page.
const isOurs = (link) => link.origin === location.origin && !link.hash && !link.target && !link.hasAttribute("download");

// Opens a place of the page in another tab, which asks for it as the browser does: without a proof, which is got before.
async function goElsewhere(address) {
  try {
    if (await prove()) open(address, "_blank", "noopener");
    else ended();
  } catch (error) {
    if (error instanceof Stranger) ended();
    else show("gone");
  }
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented) return;
  const link = event.target.closest("a[href]");
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (link && plain && link.classList.contains("skip")) {
    event.preventDefault();
    main.focus();
  } else if (link && isOurs(link)) {
    event.preventDefault();
    if (plain) go(link.pathname + link.search);
    else goElsewhere(link.href);
  }
  if (event.target.closest("[data-again]")) load({ focus: "heading" });
});

// The middle button, which is no click.
document.addEventListener("auxclick", (event) => {
  const link = event.button === 1 && !event.defaultPrevented && event.target.closest("a[href]");
  if (!link || !isOurs(link)) return;
  event.preventDefault();
  goElsewhere(link.href);
});

history.scrollRestoration = "manual";
let scrolled;
addEventListener("scroll", () => {
  clearTimeout(scrolled);
  scrolled = setTimeout(keepPlace, 150);
}, { passive: true });
addEventListener("popstate", () => {
  clearTimeout(scrolled);
  if (shown !== hereNow()) load({ focus: "heading", y: history.state?.y ?? 0 });
});
addEventListener("pagehide", () => undress(document));
addEventListener("hashchange", () => location.hash.startsWith("#t=") && start());

async function start() {
  const ticket = location.hash.startsWith("#t=") ? location.hash.slice(3) : "";
  if (ticket) {
    history.replaceState(history.state, "", hereNow());
    const answer = await send("POST", SESSION, { ticket });
    if (answer === null) return;
    if (answer.ok) {
      const { token, id, key } = await answer.json();
      sessionStorage.setItem(TOKEN, token);
      sessionStorage.setItem(ID, id);
      sessionStorage.setItem(KEY, key);
    } else if (answer.status === 401 && !sessionStorage.getItem(TOKEN)) return show("stale");
    else if (!sessionStorage.getItem(TOKEN)) {
      show("failed");
      return main.querySelector(".why").replaceChildren(words(await problem(answer)));
    }
  }
  await load({ y: history.state?.y });
}

start();
