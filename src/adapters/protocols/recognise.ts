/** Who speaks, by the first bytes of an answer; null when they are no one's. Looks at 64 bytes at most. */
export function recognise(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  if (/^HTTP\/\d/.test(text) || /^<(?:!doctype )?html/i.test(text)) return 'HTTP';
  if (text.startsWith('SSH-')) return 'SSH';
  if (text.startsWith('INFO {')) return 'NATS';
  if (text.startsWith('AMQP')) return 'AMQP';
  if (/^220[ -]/.test(text)) return 'SMTP or FTP';
  if (/^(?:\+PONG|\+OK|-(?:ERR|NOAUTH|WRONGTYPE|DENIED|LOADING|MISCONF|NOPERM) )/.test(text)) return 'Redis';
  // an alert or a handshake record, version 3.x
  if ((bytes[0] === 21 || bytes[0] === 22) && bytes[1] === 3 && (bytes[2] ?? 9) <= 4) return 'TLS';
  // length (3 bytes), number 0; then protocol version 10 and the version of the server, or an error
  if (bytes[2] === 0 && bytes[3] === 0 && bytes[4] === 10 && /^\d+\.\d/.test(text.slice(5))) return 'MySQL';
  if (bytes[2] === 0 && bytes[4] === 255 && /^(?:#\w{5})?Host /.test(text.slice(7))) return 'MySQL';
  // an error, its length, its severity
  if (text.startsWith('E') && bytes[1] === 0 && bytes[2] === 0 && /^S(?:FATAL|ERROR|PANIC)/.test(text.slice(5))) return 'PostgreSQL';
  return null;
}
