/* A button with data-chat opens the chat; the question it carries is put into the field, not sent. */
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest("[data-chat]");
  if (!button || !window.aisales) return;
  if (button.dataset.chat) window.aisales("prefill", button.dataset.chat);
  else window.aisales("open");
});
