/** @file Attacks that a reader may look for and that are not here, and why: one that would not be done right is absent. docs/attacks lists them. */

export interface AbsentAttack {
  readonly name: string;
  /** Why it is not here, and what is there in its place. */
  readonly reason: string;
}

export const absent: readonly AbsentAttack[] = [
  {
    name: 'Square in l1, and with it AutoAttack in l1',
    reason:
      'its windows in l1 have not been built and compared with the released code; in l1 the suite worst-case runs APGD and FAB',
  },
  {
    name: 'C&W in linf and l0',
    reason:
      'outer searches around many runs of C&W; FMN and FAB look for the smallest linf change, FMN and sigma-zero for the smallest l0 change',
  },
  {
    name: 'ZOO, SPSA, NES, SimBA',
    reason: 'no comparison with their authors’ code has been made; Square asks for scores too, HopSkipJump for labels alone',
  },
  {
    name: 'GeoDA, QEBA, SurFree, Sign-OPT, RayS',
    reason:
      'not built: HopSkipJump and the boundary attack ask for labels alone, and no case was measured in which a third is needed',
  },
  {
    name: 'pointwise, Pixle, single pixel and salt-and-pepper attacks',
    reason:
      'not built; few-pixel changes few places by scores, sigma-zero, FMN and JSMA by gradients. There is no l0 attack here that asks for labels alone',
  },
  {
    name: 'spatial, colour and patch attacks',
    reason: 'their changes are no norm ball, which is all a budget can be here so far',
  },
  {
    name: 'SparseFool',
    reason: 'no comparison with its authors’ code has been made; FMN, sigma-zero and JSMA change few elements',
  },
];
