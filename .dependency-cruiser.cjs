/** The storeys of the house (docs/ARCHITECTURE.md): imports go down, or sideways without circles. */
const storeys = ['core', 'kit', 'methods', 'judgement', 'app'];
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...storeys.flatMap((storey, i) =>
      storeys.slice(i + 1).map((upper) => ({
        name: `${storey}-knows-nothing-of-${upper}`,
        severity: 'error',
        from: { path: `^src/${storey}/` },
        to: { path: `^src/${upper}/` },
      })),
    ),
    {
      name: 'browser-safe-below-app',
      severity: 'error',
      comment: 'core to judgement run in a browser: bytes, not paths; the host passes the runtime and the codecs in',
      from: { path: '^src/(core|kit|methods|judgement)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-native-packages-below-app',
      severity: 'error',
      from: { path: '^src/(core|kit|methods|judgement)/' },
      to: { path: 'node_modules/(onnxruntime-node|sharp)' },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
