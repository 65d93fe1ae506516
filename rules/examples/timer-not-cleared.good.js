import { deliver } from "./outbox.js";
import { showError, showWarning } from "./toast.js";

export async function submitDraft(draft) {
  const slowNotice = setTimeout(() => {
    showWarning("Delivery could not be confirmed");
  }, 5000);

  try {
    await deliver(draft);
  } catch (failure) {
    showError(failure.message);
  } finally {
    clearTimeout(slowNotice);
  }
}
