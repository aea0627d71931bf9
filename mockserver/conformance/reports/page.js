document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  navigator.clipboard.writeText(button.nextElementSibling.textContent).then(() => {
    button.textContent = "copied";
  });
});
const verdict = document.getElementById("verdict");
const words = document.getElementById("words");
function filter() {
  const wanted = words.value.trim().toLowerCase();
  for (const row of document.querySelectorAll("tr[data-verdict]")) {
    const right = verdict.value === "" || row.dataset.verdict === verdict.value;
    row.hidden = !right || !row.textContent.toLowerCase().includes(wanted);
  }
}
verdict.addEventListener("change", filter);
words.addEventListener("input", filter);
