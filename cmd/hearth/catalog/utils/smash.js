// Nests all parameters but $fieldName under the name that this one gives.
function main({ $fieldName: name, ...rest }) {
  if (typeof name !== 'string' || name === '') {
    return { error: 'The parameter $fieldName is missing: the name to nest everything under.' };
  }
  return { [name]: rest };
}
