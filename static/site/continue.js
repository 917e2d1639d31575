// The session that was opened by a link, put where the widget looks for its own; then the page with the chat.
const opened = document.getElementById("opened");
if (opened) {
  const { session, token, home } = opened.dataset;
  try {
    localStorage.setItem("aisales:main:session", JSON.stringify({ id: session, token }));
  } catch {
    // refused: the chat on the page begins anew
  }
  location.replace(home);
}
