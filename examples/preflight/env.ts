/** A Standard Schema by hand: what Zod, Valibot and ArkType give you. See https://standardschema.dev */
const schema = {
  '~standard': {
    version: 1,
    vendor: 'example',
    validate(value: unknown) {
      const { PORT = '' } = value as { PORT?: string };
      const port = Number(PORT);
      if (Number.isInteger(port) && port > 0 && port < 65_536) return { value: { port } };
      return { issues: [{ message: 'must be a port, a whole number from 1 to 65535', path: ['PORT'] }] };
    },
  },
};

export default schema;
