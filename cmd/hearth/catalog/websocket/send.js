// Sends one text message to a WebSocket server.
const crypto = require('crypto');

function main({ uri, payload }) {
  if (!uri || payload === undefined) {
    return { error: 'The parameters uri and payload are needed.' };
  }
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const url = new URL(uri);
  const secure = url.protocol === 'wss:';
  if (!secure && url.protocol !== 'ws:') {
    return { error: 'uri must begin with ws:// or wss://.' };
  }
  url.protocol = secure ? 'https:' : 'http:';
  const key = crypto.randomBytes(16).toString('base64');
  const accept = crypto.createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  return new Promise((resolve, reject) => {
    const request = require(secure ? 'https' : 'http').get(url, {
      timeout: 20000,
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key },
    });
    request.on('timeout', () => request.destroy(new Error('the server does not answer')));
    request.on('error', (e) => reject({ error: `The message could not be sent: ${e.message}` }));
    request.on('response', (response) => {
      response.resume();
      reject({ error: `The server is no WebSocket server: it answered ${response.statusCode}.` });
    });
    request.on('upgrade', (response, socket) => {
      socket.on('error', () => {}); // after the message has been sent
      if (response.headers['sec-websocket-accept'] !== accept) {
        socket.destroy();
        reject({ error: 'The server is no WebSocket server.' });
        return;
      }
      socket.write(frame(0x1, Buffer.from(text)));
      socket.end(frame(0x8, Buffer.from([0x03, 0xe8])), () => resolve({ status: 'success', success: true, result: { payload } }));
      socket.resume();
      setTimeout(() => socket.destroy(), 1000).unref();
    });
  });
}

// frame makes one whole frame, masked as clients have to.
function frame(opcode, data) {
  const n = data.length;
  const head = n < 126 ? Buffer.alloc(2) : n < 65536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (n < 126 ? n : n < 65536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(n, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(n), 2);
  const mask = crypto.randomBytes(4);
  return Buffer.concat([head, mask, data.map((byte, i) => byte ^ mask[i % 4])]);
}
