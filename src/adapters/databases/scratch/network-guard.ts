/**
 * Code that every Node process of a tool loads first. It lets connections through to one port of this machine and turns the
 * others away before they are made, so that a literal address somewhere in the service's code cannot be reached by accident.
 * Plain old JavaScript: it runs on the Node of the service. It is no wall against code that means harm.
 * @param port      the one that may be reached; null for none
 * @param logFile   gets one line for each address that was turned away
 */
export function networkGuard(port: number | null, logFile: string): string {
  return `'use strict';
const net = require('node:net');
const { appendFileSync } = require('node:fs');
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  let to = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (to === null || typeof to !== 'object') to = typeof to === 'string' && isNaN(to) ? { path: to } : { port: to, host: args[1] };
  const host = typeof to.host === 'string' ? to.host : 'localhost';
  const isOurs = to.path
    ? !/\\.s\\.PGSQL\\.\\d+$/.test(to.path)
    : Number(to.port) === ${port ?? -1} && /^(?:localhost|127\\.0\\.0\\.1)$/.test(host);
  if (isOurs) return connect.apply(this, args);
  const where = to.path || host + ':' + to.port;
  try { appendFileSync(${JSON.stringify(logFile)}, where + '\\n'); } catch {}
  const error = Object.assign(new Error('kept from connecting to ' + where), { code: 'ECONNREFUSED', syscall: 'connect' });
  process.nextTick(() => this.destroy(error));
  return this;
};
`;
}
