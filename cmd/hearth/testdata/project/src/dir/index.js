exports.main = () => ({})
