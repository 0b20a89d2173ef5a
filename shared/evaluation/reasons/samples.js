// Shows the samples that meet every choice; without it all of them are shown.
const samples = [...document.querySelectorAll(".sample")];
const choices = [...document.querySelectorAll(".bar [data-key]")];

function show() {
  let shown = 0;
  for (const sample of samples) {
    const meets = choices.every(({ value, dataset: { key } }) => {
      const wanted = value.trim().toLowerCase();
      const has = sample.dataset[key];
      return !wanted || (key === "text" ? sample.textContent.toLowerCase().includes(wanted) : has.split(" ").includes(wanted));
    });
    sample.hidden = !meets;
    shown += meets;
  }
  document.querySelector(".bar output").textContent = `${shown} of ${samples.length}`;
}

for (const choice of choices) choice.addEventListener("input", show);
show();
