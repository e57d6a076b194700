import type { Specimen } from '../specimen.ts';

/** Ends with 1 when nothing is subscribed. */
function mesh(call: string): string {
  return `import asyncio
import sys

topics = []
async def subscribe(topic):
    topics.append(topic)

async def main():
    ${call}
    if not topics:
        sys.exit(1)

asyncio.run(main())
`;
}

export const specimens: readonly Specimen[] = [
  {
    family: 'unawaited',
    title: 'names the call that is not awaited, and looks for all places of that kind',
    origin: 'Python 3, a coroutine that is called and not awaited',
    recording: 'py-unawaited',
    command: ['python3', 'coro.py'],
    files: { 'coro.py': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: {
      cause: 'warm_cache is not awaited',
      playbook: 'verify_async_subscriptions',
      risk: 'low',
      tier: 'tier_1',
      provenBy: 'test/process/shipped-playbooks.test.ts',
    },
  },
  {
    family: 'unawaited',
    title: 'asks before it puts back the file that lost its await',
    origin: 'Python 3, an await was taken out of a service that checks what it has subscribed to',
    recording: null,
    command: ['python3', 'mesh.py'],
    files: { 'mesh.py': mesh('await subscribe("orders")') },
    breaks: (world) => world.write('mesh.py', mesh('subscribe("orders")')),
    expects: {
      cause: /subscribe is not awaited, at .*mesh\.py:9/,
      playbook: 'verify_async_subscriptions',
      risk: 'high',
      tier: 'tier_3',
      noGuard: 'code that changed may be meant',
    },
  },
];
