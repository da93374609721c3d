// What a field for a value refuses before it is sent. The words are shown at the field, as browsers do.

// A field of one line would drop the line ends of a key, and nobody would see it.
document.addEventListener("paste", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || !field.hasAttribute("data-one-line")) return;
  const text = event.clipboardData.getData("text").replace(/\r?\n$/, "");
  if (!/[\r\n]/.test(text)) return;
  event.preventDefault();
  field.setCustomValidity("This value has several lines. Save it as a file, and take that.");
  field.reportValidity();
});

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement)) return;
  const file = field.type === "file" && field.files[0];
  let problem = "";
  if (file && file.size === 0) problem = "The file is empty.";
  if (file && field.dataset.most && file.size > Number(field.dataset.most)) problem = "The file is longer than 1 MiB, which is the most that a value can have.";
  field.setCustomValidity(problem);
  if (problem) field.reportValidity();
});
