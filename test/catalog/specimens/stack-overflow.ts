import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'stack_overflow',
    title: 'offers the code of the last good boot for one that calls itself without end',
    origin: 'Python 3.11, a function that lost the line that ends its recursion',
    recording: 'py-recursion',
    command: ['python3', 'rec.py'],
    files: { 'rec.py': 'def total(node):\n    return node["price"]\n\n\ntotal({"price": 1})\n' },
    breaks: (world) => world.write('rec.py', 'def total(node):\n    return node["price"] + total(node)\n\n\ntotal({"price": 1})\n'),
    isWell: "! grep -q '+ total' rec.py",
    expects: {
      cause: 'total calls itself without end in rec.py:2; rec.py changed since the last good boot',
      playbook: 'restore_rec_py',
      risk: 'high',
      tier: 'tier_3',
      noGuard: 'code that differs from the last good boot is no fault by itself',
    },
  },
  {
    family: 'stack_overflow',
    title: 'tells the place of the recursion to a person',
    origin: 'Ruby 3.1, a method that calls itself without end',
    recording: 'ruby-deep',
    command: ['ruby', 'deep.rb'],
    files: { 'deep.rb': 'def total(n)\n  n + total(n)\nend\n\ntotal(1)\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'total calls itself without end in deep.rb:2', person: 'what ends the recursion in deep.rb:2' },
  },
];
