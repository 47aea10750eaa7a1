// Returns the URL that invokes an action or fires a trigger of the caller's.
function main({ web, ext = '.json', trigger, path }) {
  if (typeof path !== 'string' || path === '') {
    return { error: 'The parameter path is missing: ACTION, PACKAGE/ACTION, or the name of a trigger.' };
  }
  const host = process.env.__OW_API_HOST;
  const base = (host.includes('://') ? host : `https://${host}`) + '/api/v1';
  const ns = encodeURIComponent(process.env.__OW_NAMESPACE);
  const name = path.split('/').filter((part) => part !== '').map(encodeURIComponent);
  if (web) {
    if (name.length === 1) name.unshift('default');
    return { url: `${base}/web/${ns}/${name.join('/')}${ext.startsWith('.') ? ext : '.' + ext}` };
  }
  return { url: `${base}/namespaces/${ns}/${trigger ? 'triggers' : 'actions'}/${name.join('/')}` };
}
