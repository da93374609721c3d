// Fields for a value.

// While nobody sees what is typed, Enter sends it: a line end that nobody sees would be a part of the value.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("textarea.veiled")) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

// Says how many lines a value has: a line end at its end is a part of it.
function count(field) {
  const lines = field.value.split("\n");
  const ends = lines.length > 1 && lines.at(-1) === "";
  const number = lines.length - (ends ? 1 : 0);
  const text = number > 1 ? number + " lines" : "1 line";
  field.closest("form").querySelector("[data-lines]").textContent = lines.length < 2 ? "" : text + (ends ? ", with a line end behind the last one" : "");
}

document.addEventListener("input", (event) => {
  const field = event.target;
  if (field.matches("textarea[data-secret]")) count(field);
  const isFile = field.type === "file";
  // A character has one byte at least. The gateway counts them.
  const length = isFile ? field.files[0]?.size : field.value.length;
  let problem = "";
  if (isFile && length === 0) problem = "The file is empty.";
  if (length > Number(field.dataset.most)) problem = `The ${isFile ? "file" : "value"} is longer than 1 MiB, which is the most that a value can have.`;
  field.setCustomValidity(problem);
  if (problem) field.reportValidity();
});
