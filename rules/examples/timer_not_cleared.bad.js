async function placeOrder(order) {
  const slowNotice = setTimeout(() => banner.show("Still waiting for the exchange"), 4000);
  try {
    await api.submit(order); // when this rejects, nothing clears the timer
    clearTimeout(slowNotice);
  } catch (problem) {
    banner.show(problem.message);
  }
}
