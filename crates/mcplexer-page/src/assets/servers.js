// A server that starts: <server-state data-to="ADDRESS" data-state="starting"> shows the page anew once it is in another state.

import { ask, load } from "/page.js";

const PAUSE = 1000;

class ServerState extends HTMLElement {
  connectedCallback() {
    // Moved within the page, it goes on.
    if (this.stop && !this.stop.signal.aborted) return;
    this.stop = new AbortController();
    this.follow(this.stop.signal);
  }

  disconnectedCallback() {
    queueMicrotask(() => this.isConnected || this.stop.abort());
  }

  async follow(signal) {
    let state = this.dataset.state;
    while (state === this.dataset.state) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      if (signal.aborted) return;
      try {
        const answer = await ask("GET", this.dataset.to, undefined, signal);
        // The session has ended, and the page says so.
        if (answer === null) return;
        state = answer.ok ? (await answer.json()).state : null;
      } catch {
        // It is asked again, unless nobody sees it any more.
      }
    }
    if (signal.aborted) return;
    const isHere = document.getElementById("main").contains(document.activeElement);
    load({ focus: isHere ? "heading" : undefined, y: scrollY });
  }
}

customElements.define("server-state", ServerState);
