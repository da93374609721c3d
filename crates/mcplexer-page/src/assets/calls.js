// Calls as they happen: <live-calls data-to="ADDRESS"> has a table of calls, and gets new ones on top, while it is seen. A stream
// takes one of the six connections that a browser has to this origin, for all tabs together. So one window has a stream, the one
// that had the focus last; others that are seen fetch what is new now and then.

import { label } from "/dress.js";
import { ask, problem, renew, visible } from "/page.js";

// How many rows the table has at most. Older ones are a page away.
const MOST = 200;

// How long the plot waits for more calls, in milliseconds.
const PLOT = 3000;

// How long a window without the stream waits before it fetches what is new, in milliseconds.
const PAUSE = 3000;

// What it says then.
const NOW_AND_THEN = `every ${PAUSE / 1000} s`;

// Who holds this lock has the stream.
const STREAM = "calls";

// Names come from clients and servers: they are text, and never markup.
function cell(row, text, name) {
  const it = row.insertCell();
  if (name) it.className = name;
  if (text === null || text === undefined || text === "") {
    const none = it.appendChild(document.createElement("span"));
    none.className = "none";
    none.textContent = "–";
  } else it.textContent = visible(text);
  return it;
}

function link(cell, address) {
  const it = document.createElement("a");
  it.href = address;
  it.append(...cell.childNodes);
  cell.append(it);
  return it;
}

function outcome(call) {
  const badge = document.createElement("span");
  const kind = call.outcome === "ok" ? "good" : call.outcome === "cancelled" ? "warn" : call.outcome ? "bad" : "";
  badge.className = "badge " + kind;
  badge.textContent = call.outcome || "open";
  return badge;
}

function fill(row, call) {
  row.replaceChildren();
  row.dataset.call = call.id;
  row.toggleAttribute("data-open", !call.outcome);
  const time = document.createElement("time");
  time.dateTime = call.time;
  time.title = new Date(call.time).toLocaleString();
  time.textContent = "just now";
  row.insertCell().append(time);
  link(row.cells[0], "/calls/" + encodeURIComponent(call.id));
  cell(row, call.client || call.program);
  const server = cell(row, call.server);
  if (call.server) link(server, "/servers/" + encodeURIComponent(call.server));
  cell(row, call.tool || call.method, "text");
  row.insertCell().append(outcome(call));
  cell(row, call.ms, "number");
}

// Waits until the tab is seen.
async function seen(signal) {
  while (document.hidden && !signal.aborted) {
    await new Promise((resolve) => {
      document.addEventListener("visibilitychange", resolve, { once: true });
      signal.addEventListener("abort", resolve, { once: true });
    });
  }
}

class LiveCalls extends HTMLElement {
  connectedCallback() {
    // Moved within the page, it goes on.
    if (this.stop && !this.stop.signal.aborted) return;
    this.stop = new AbortController();
    this.held = [];
    this.missed = 0;
    this.button = this.querySelector("[data-pause]");
    this.button.onclick = () => this.pause(!this.isPaused());
    this.run(this.stop.signal);
    const hide = () => document.hidden && this.reading?.abort();
    document.addEventListener("visibilitychange", hide, { signal: this.stop.signal });
    const turn = () => {
      if (this.hasStream) return;
      this.isTurnedTo = true;
      this.wake?.();
    };
    addEventListener("focus", turn, { signal: this.stop.signal });
  }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.stop.abort();
      clearTimeout(this.drawing);
      this.drawing = 0;
    });
  }

  // Draws the plot again, once for calls that come together.
  draw() {
    if (this.drawing) return;
    this.drawing = setTimeout(() => {
      this.drawing = 0;
      const part = document.querySelector("main [data-part^='/parts/calls/plot']");
      if (!part) return;
      part.hidden = false;
      renew(part, part.dataset.part);
    }, PLOT);
  }

  pause(is) {
    this.button.setAttribute("aria-pressed", is);
    this.button.textContent = is ? "Resume" : "Pause";
    if (!is) for (const call of this.held.splice(0)) this.add(call);
    this.tell();
  }

  isPaused() {
    return this.button.getAttribute("aria-pressed") === "true";
  }

  tell(state) {
    if (state) this.state = state;
    const paused = this.isPaused();
    const badge = this.querySelector("[data-state]");
    badge.textContent = paused ? "paused" : this.state;
    const follows = this.state === "live" || this.state === NOW_AND_THEN;
    badge.className = "badge " + (paused || !follows ? "warn" : "good");
    const notes = [];
    if (paused && this.held.length) notes.push(this.held.length + " new");
    if (paused && this.state && !follows) notes.push("the gateway does not answer");
    if (this.refused) notes.push(this.refused);
    if (this.missed) notes.push(this.missed + " not shown: they came too quickly");
    this.querySelector("[data-note]").textContent = notes.join(", ");
  }

  // Reads calls while somebody sees them, and begins again when a stream ends: sooner first, then every half minute.
  async run(signal) {
    let wait = 1000;
    const to = new URL(this.dataset.to, location);
    to.searchParams.set("limit", MOST);
    this.isTurnedTo = document.hasFocus();
    while (!signal.aborted) {
      await seen(signal);
      const reading = (this.reading = new AbortController());
      const how = this.isTurnedTo ? { steal: true } : { ifAvailable: true };
      this.isTurnedTo = false;
      try {
        const all = AbortSignal.any([signal, reading.signal]);
        const goesOn = await navigator.locks.request(STREAM, how, (lock) => this.fetch(to, lock !== null, all));
        if (!goesOn) return;
        wait = 1000;
        if (this.state === NOW_AND_THEN) {
          await this.rest(PAUSE);
          continue;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (reading.signal.aborted) continue;
        // Another window has taken the stream.
        if (error.name === "AbortError") {
          reading.abort();
          continue;
        }
        if (!(error instanceof TypeError)) console.error(error);
      }
      if (signal.aborted) return;
      this.tell("connecting");
      await this.rest(wait);
      wait = Math.min(wait * 2, 30000);
    }
  }

  // Waits for a time, or until the window is turned to.
  rest(time) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, time);
    });
  }

  // Reads the stream to its end; without `isStream`, its beginning alone. Returns false if the session has ended, which the page says.
  async fetch(to, isStream, signal) {
    this.hasStream = isStream;
    try {
      const answer = await ask("GET", to.pathname + to.search, undefined, signal);
      if (answer === null) return false;
      this.refused = answer.ok ? "" : (await problem(answer)).title;
      if (!answer.ok) throw new TypeError();
      await this.read(answer.body.getReader(), isStream);
      return true;
    } finally {
      this.hasStream = false;
    }
  }

  async read(reader, isStream) {
    const decoder = new TextDecoder();
    let rest = "";
    // The newest calls come first, up to an empty line. What was missed is among them.
    let newest = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line && newest) newest.push(JSON.parse(line));
        else if (line) this.take(JSON.parse(line));
        else if (newest) {
          this.catchUp(newest);
          newest = null;
          this.tell(isStream ? "live" : NOW_AND_THEN);
          if (!isStream) return reader.cancel();
        }
      }
    }
  }

  // Adds what was missed of these calls, oldest first, where it belongs: what is older than all that are shown is a page away.
  catchUp(newest) {
    const first = this.rowOf(newest.find((it) => this.rowOf(it)));
    const calls = first ? newest.slice(newest.findIndex((it) => it.id === first.dataset.call)) : newest;
    const isNews = (it) => !this.rowOf(it) || (it.outcome && this.rowOf(it).hasAttribute("data-open"));
    if (this.isPaused()) calls.filter(isNews).forEach((it) => this.take(it));
    else {
      // One that went on, and is not wanted any more since it has ended.
      const isGone = (row) => row.hasAttribute("data-open") && !newest.some((it) => it.id === row.dataset.call);
      const most = newest.length < MOST ? MOST : first?.sectionRowIndex || 0;
      for (const row of [...this.rows()].slice(0, most)) if (isGone(row)) row.remove();
      let below = first;
      for (const it of calls) {
        if (isNews(it)) this.add(it, below?.sectionRowIndex);
        below = this.rowOf(it) || below;
      }
    }
  }

  rows() {
    return this.querySelector("table").tBodies[0].rows;
  }

  rowOf(call) {
    return call && [...this.rows()].find((it) => it.dataset.call === call.id);
  }

  take(it) {
    if (it.missed) this.missed += it.missed;
    else if (!this.isPaused()) this.add(it);
    else {
      const at = this.held.findIndex((held) => held.id === it.id);
      if (at >= 0) this.held[at] = it;
      else this.held.push(it);
      if (this.held.length > MOST) this.held.shift();
    }
    this.tell();
  }

  add(call, at = 0) {
    const table = this.querySelector("table");
    const body = table.tBodies[0];
    // A call comes twice: when it goes out, and when it has ended.
    const row = this.rowOf(call) || body.insertRow(at);
    const focused = row.contains(document.activeElement) ? [...row.querySelectorAll("a")].indexOf(document.activeElement) : -1;
    fill(row, call);
    row.querySelectorAll("a")[focused]?.focus();
    while (body.rows.length > MOST) body.deleteRow(-1);
    table.hidden = false;
    label(table);
    document.querySelector("main [data-empty]")?.remove();
    this.draw();
  }
}

customElements.define("live-calls", LiveCalls);

// The plot of another span of time takes the place of the one that is shown.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-plot]");
  const part = button?.closest("[data-part]");
  if (!part) return;
  button.disabled = true;
  const to = new URL(part.dataset.part, location);
  to.searchParams.set("last", button.dataset.plot);
  part.dataset.part = to.pathname + to.search;
  await renew(part, part.dataset.part);
  button.disabled = false;
  part.querySelector("[data-plot]")?.focus();
});
