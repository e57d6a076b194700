// Servers asked in their own protocol, once and within bounds: postgresql, mysql, redis, nats, amqp, http, tls.
export { askServer } from './ask-server.ts';
