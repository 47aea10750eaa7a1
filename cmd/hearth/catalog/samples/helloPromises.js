// Answers a moment later, by a promise.
function main({ name = 'stranger', place = 'somewhere' }) {
  return new Promise((resolve) => {
    setTimeout(() => resolve({ lines: ['Hello,', name, 'from', `${place}!`] }), 100);
  });
}
