// Posts a message to a Slack channel: to an incoming webhook, or, with a token,
// to chat.postMessage or whatever url says.
async function main({ url, token, channel, username, text, icon_emoji, as_user, attachments }) {
  if (typeof text !== 'string' && attachments === undefined) {
    return { error: 'The parameter text is missing: the message to post.' };
  }
  const target = url || (token && 'https://slack.com/api/chat.postMessage');
  if (!target) {
    return { error: 'The parameter url is missing: an incoming webhook of Slack.' };
  }
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const message = { channel, username, text, icon_emoji, as_user };
  if (attachments !== undefined) {
    message.attachments = typeof attachments === 'string' ? JSON.parse(attachments) : attachments;
  }
  const response = await fetch(target, { method: 'POST', headers, body: JSON.stringify(message) });
  const answer = await response.text();
  if (!response.ok) {
    return { error: `Slack answered ${response.status}: ${answer.slice(0, 500)}` };
  }
  if (answer.startsWith('{') && JSON.parse(answer).ok === false) {
    return { error: `Slack answered: ${JSON.parse(answer).error}` };
  }
  return { status: 'success' };
}
