// Imports a file: reads it here, shows what it would change, and stores it when a person says so. No value gets into the page.
import { send, problem, words, say, load, visible } from "/page.js";
import { dress } from "/dress.js";

const MOST = 16 * 1024 * 1024;
const ACTIONS = { add: "new", replace: "another value", keep: "kept", same: "unchanged" };

function element(name, text) {
  const it = document.createElement(name);
  if (text !== undefined) it.textContent = visible(text);
  return it;
}

function choice(label, options) {
  const [box, select] = [element("label", label), element("select")];
  for (const [value, text] of options) {
    const option = element("option", text);
    option.value = value;
    select.append(option);
  }
  box.append(select);
  return [box, select];
}

class ImportFile extends HTMLElement {
  // The file that was chosen, as long as its preview is shown.
  #file = null;
  // The keys of it that are left out.
  #left = new Set();
  // The keys that take over a command. They are left out until somebody ticks them.
  #takes = new Set();
  // What the store had of each key when the preview was made. A key without a state was new.
  #states = {};

  connectedCallback() {
    this.input = this.querySelector("input");
    this.input.addEventListener("change", () => this.take(this.input.files[0]));
    this.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.classList.add("over");
    });
    this.addEventListener("dragleave", () => this.classList.remove("over"));
    this.addEventListener("drop", (event) => {
      event.preventDefault();
      this.classList.remove("over");
      this.take(event.dataTransfer.files[0]);
    });
  }

  disconnectedCallback() {
    this.#file = null;
  }

  take(file) {
    this.#file = file || null;
    this.#left.clear();
    this.#takes.clear();
    this.input.value = "";
    this.show();
    if (file) this.preview("keep");
  }

  show(...content) {
    this.querySelector("[data-preview]")?.remove();
    if (content.length === 0) return;
    const box = element("div");
    box.dataset.preview = "";
    box.append(...content);
    this.append(box);
    dress(box);
  }

  fail(it) {
    const box = words({ ...it, title: it.title.replace(/^the file\b/, this.#file?.name || "the file") });
    box.setAttribute("role", "alert");
    this.show(box);
  }

  // Sends the file. Its text is read anew each time, and kept nowhere.
  async ask(more) {
    const file = this.#file;
    if (file.size > MOST) return this.fail({ title: "The file is longer than 16 MiB." });
    let bytes;
    try {
      bytes = await file.arrayBuffer();
    } catch {
      // What is imported is what was shown: a browser does not read a file that was changed since it was chosen.
      return this.fail({ title: "The file cannot be read any more.", hints: ["If it was changed, choose it again to see what it would change now."] });
    }
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return this.fail({ title: "The file is not text.", hints: ["If it is one value, store it as a secret from a file."] });
    }
    const answer = await send("POST", this.dataset.to, { file: file.name, text, skip_blank: true, ...more });
    text = "";
    if (answer === null || file !== this.#file) return;
    if (!answer.ok) return this.fail(await problem(answer));
    return answer.json();
  }

  async preview(hash) {
    const plan = await this.ask({ dry_run: true, hash });
    if (!plan) return;
    this.#states = Object.fromEntries(plan.secrets.filter((it) => it.state).map((it) => [it.key, it.state]));
    for (const { key, takes_over } of plan.secrets) {
      if (!takes_over || this.#takes.has(key)) continue;
      this.#takes.add(key);
      this.#left.add(key);
    }
    // Those are seen, however long the file is.
    plan.secrets.sort((one, other) => Boolean(other.takes_over) - Boolean(one.takes_over));
    const rows = plan.secrets.map(({ key, action, takes_over }) => {
      const row = element("tr");
      const head = element("th");
      head.scope = "row";
      const [label, box] = [element("label"), element("input")];
      box.type = "checkbox";
      box.checked = !this.#left.has(key);
      box.addEventListener("change", () => {
        if (box.checked) this.#left.delete(key);
        else this.#left.add(key);
        tell();
      });
      label.append(box, key);
      head.append(label);
      const value = element("td", ACTIONS[action]);
      if (takes_over) value.append(`; takes over a command that gets it: it ${takes_over}`);
      row.append(head, value);
      return row;
    });
    const number = (action) => plan.secrets.filter((it) => it.action === action && !this.#left.has(it.key)).length;
    const [sum, run, cancel] = [element("p"), element("button", "Import"), element("button", "Cancel")];
    const [conflict, select] = choice("Where the store has another value", [["overwrite", "replace it"], ["skip", "keep it"]]);
    const tell = () => {
      const [added, replaced, same] = ["add", "replace", "same"].map(number);
      sum.textContent = `${added} new, ${replaced} with another value, ${same} unchanged`;
      if (this.#left.size) sum.textContent += `, ${this.#left.size} left out`;
      conflict.hidden = !replaced;
      run.disabled = added + replaced === 0;
    };
    tell();
    const content = [element("h3", this.#file.name), sum];
    if (plan.blank.length) content.push(element("p", "Left out because blank: " + plan.blank.join(", ")));
    if (plan.unclear_hashes.length) {
      const [box, select] = choice(`The # right behind a value, ${plan.unclear_hashes.join(", ")}, is`, [["keep", "a part of the value"], ["cut", "the beginning of a comment"]]);
      select.value = hash;
      select.addEventListener("change", () => {
        // What is imported is what was shown.
        run.disabled = true;
        this.preview(select.value);
      });
      content.push(box);
    }
    content.push(conflict);
    const table = element("table");
    const [head, body] = [element("thead"), element("tbody")];
    const titles = element("tr");
    titles.append(element("th", "Key"), element("th", "Value"));
    head.append(titles);
    body.append(...rows.slice(0, 200));
    table.append(head, body);
    content.push(table);
    if (rows.length > 200) content.push(element("p", `And ${rows.length - 200} more.`));
    cancel.type = "button";
    run.addEventListener("click", () => {
      run.disabled = true;
      this.run(hash, number("replace") ? select.value : "fail");
    });
    cancel.addEventListener("click", () => this.take(null));
    content.push(run, cancel);
    this.show(...content);
    say("The preview is there.");
    (run.disabled ? cancel : run).focus();
  }

  async run(hash, on_conflict) {
    const done = await this.ask({ hash, on_conflict, skip: [...this.#left], if_states: this.#states });
    if (!done) return;
    this.#file = null;
    const stored = done.secrets.filter((it) => it.action === "add" || it.action === "replace").length;
    say(`Imported ${stored} secrets.`);
    load();
  }
}

customElements.define("import-file", ImportFile);
