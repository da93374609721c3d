// Forms into which a value goes, and those about secrets. What was typed or read from a file is forgotten when it is sent.
import { send, problem, words, say, load, go } from "/page.js";

async function base64(file) {
  const address = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  return address.slice(address.indexOf(",") + 1);
}

// Returns the body that the fields of a form make; throws a text for the person.
async function fields(form, empty) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled) continue;
    if (field.type === "file") {
      const file = field.files[0];
      if (file && file.size > Number(field.dataset.most)) throw "The file is longer than 1 MiB, which is the most that a value can have.";
      if (file && file.size === 0) throw "The file is empty.";
      try {
        if (file) body[field.name] = await base64(file);
      } catch {
        throw "The file cannot be read.";
      }
    } else if (field.value !== "") {
      body[field.name] = field.dataset.type === "number" ? Number(field.value) : field.value;
    } else if (empty === "null") {
      body[field.name] = null;
    }
  }
  return body;
}

// A form inside of it is sent as page.js sends forms, and besides: a field of type file is sent in base64, and with
// data-empty="null" a field without a value is sent as null.
class SecretForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const form = event.target;
      if (form.dataset.method) this.act(form);
      else this.search(form);
    });
    // A field of one line would drop the line ends of a key, and nobody would see it.
    this.addEventListener("paste", (event) => {
      const field = event.target;
      if (field.dataset.oneLine === undefined) return;
      const text = event.clipboardData.getData("text").replace(/\r?\n$/, "");
      field.form.querySelector("[role=alert]")?.remove();
      if (!/[\r\n]/.test(text)) return;
      event.preventDefault();
      this.tell(field.form, { title: "This value has several lines. Save it as a file, and take that." });
    });
  }

  search(form) {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) query.set(name, value);
    const text = query.toString();
    go(location.pathname + (text && "?" + text));
  }

  tell(form, it) {
    form.querySelector("[role=alert]")?.remove();
    const box = words(it);
    box.setAttribute("role", "alert");
    form.append(box);
  }

  async act(form) {
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const body = await fields(form, this.dataset.empty);
      const filled = (address) => address.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(body[name] ?? ""));
      const [to, then] = [filled(form.dataset.to), form.dataset.then && filled(form.dataset.then)];
      for (const [, name] of form.dataset.to.matchAll(/\{(\w+)\}/g)) delete body[name];
      const answer = await send(form.dataset.method, to, body);
      if (answer === null) return;
      if (!answer.ok) return this.tell(form, await problem(answer));
      form.reset();
      say("Done.");
      if (then) go(then);
      else load();
    } catch (error) {
      if (typeof error !== "string") throw error;
      this.tell(form, { title: error });
    } finally {
      button.disabled = false;
    }
  }
}

customElements.define("secret-form", SecretForm);
