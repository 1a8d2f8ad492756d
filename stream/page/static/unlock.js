// The token of a page that other computers can read: asked for once, kept for as long as the tab is open.

const KEY = "token";
let wasWrong = false;

export const keptToken = () => sessionStorage.getItem(KEY);

export function forgetToken() {
  wasWrong ||= keptToken() !== null;
  sessionStorage.removeItem(KEY);
}

/** Let the person type the token. */
export function askToken() {
  const dialog = document.getElementById("unlock");
  const field = dialog.querySelector("input");
  dialog.querySelector("p").textContent = wasWrong ? "This token is wrong. It was given when the run was started." : "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      sessionStorage.setItem(KEY, field.value);
      resolve(field.value);
    };
  });
}
