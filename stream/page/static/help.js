// All keys at a glance, over the page: "?" shows and hides it.

const dialog = document.getElementById("help");
const list = document.getElementById("help-keys");

/** Add lines under a heading: [key, what it does]. */
export function addHelp(heading, lines) {
  const title = document.createElement("h3");
  title.textContent = heading;
  const keys = document.createElement("dl");
  for (const [key, what] of lines) {
    const [term, meaning] = [document.createElement("dt"), document.createElement("dd")];
    term.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    meaning.textContent = what;
    keys.append(term, meaning);
  }
  const section = document.createElement("section");
  section.append(title, keys);
  list.append(section);
}

export function toggleHelp() {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

dialog.addEventListener("click", () => dialog.close());
