import { deliver } from "./outbox.js";
import { showError, showWarning } from "./toast.js";

export async function submitDraft(draft) {
  const slowNotice = setTimeout(() => {
    showWarning("Delivery could not be confirmed");
  }, 5000);

  try {
    await deliver(draft);
    clearTimeout(slowNotice);
  } catch (failure) {
    // The error is on screen; five seconds later the warning joins it.
    showError(failure.message);
  }
}
