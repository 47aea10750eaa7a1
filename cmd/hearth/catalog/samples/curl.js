// Fetches a page.
async function main({ payload }) {
  if (typeof payload !== 'string' || payload === '') {
    return { error: 'The parameter payload is missing: the URL to fetch.' };
  }
  const response = await fetch(payload.includes('://') ? payload : `http://${payload}`);
  const msg = await response.text();
  console.log(response.status, payload);
  return { msg: msg.slice(0, 500000) };
}
