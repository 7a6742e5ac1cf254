/** @file What a recipe names, looked up: network, optimiser, schedule, augmentations, defence and threat, with all options read. */
import { UserError } from '../../core/errors.ts';
import { units } from '../../kit/model/infer-input.ts';
import { attackedInputs, type InputSpec } from '../../kit/model/model.ts';
import type { Architecture } from '../../kit/nn/architecture.ts';
import { findArchitecture } from '../../kit/nn/architectures/registry.ts';
import type { Augmentation } from '../../kit/nn/fit/augment/augmentation.ts';
import { augmentation } from '../../kit/nn/fit/augment/augmentation.ts';
import { findAugmentation } from '../../kit/nn/fit/augment/registry.ts';
import type { Crafting } from '../../kit/nn/fit/task.ts';
import { standard } from '../../kit/nn/objectives/cross-entropy.ts';
import type { Objective } from '../../kit/nn/objectives/objective.ts';
import type { Optimiser } from '../../kit/nn/optimisers/optimiser.ts';
import { findOptimiser } from '../../kit/nn/optimisers/registry.ts';
import { type Schedule, scheduleOf } from '../../kit/nn/schedules.ts';
import { type Configurable, readOptions } from '../../kit/options.ts';
import { parseEps } from '../../kit/threat/parse-eps.ts';
import type { Norm } from '../../kit/threat/threat.ts';
import type { Threats } from '../../methods/defences/defence.ts';
import { findDefence } from '../../methods/defences/registry.ts';
import { inPlace } from '../document.ts';
import type { Choice, Recipe } from './schema.ts';

export interface Choices {
  /** The recipe with every option of what it names written out. */
  readonly recipe: Recipe;
  readonly architecture: Architecture;
  readonly optimiser: Optimiser;
  readonly settings: Optimiser['defaults'];
  readonly schedule: Schedule;
  readonly augment: readonly Augmentation[];
  readonly objective: Objective;
  readonly crafting?: Crafting;
  /** Budget of each attacked input. */
  readonly threats?: Threats;
}

/** Puts the place of a field in front of a message. */
type Where = (path: readonly PropertyKey[]) => string;

/** Looks up everything a recipe names. Throws a UserError that begins with the place of the field. */
export function choicesOf(recipe: Recipe, where: Where): Choices {
  const at = <T>(path: readonly PropertyKey[], read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw inPlace(where(path), error);
    }
  };
  const options = <O extends Configurable>(of: O, choice: Choice, path: readonly PropertyKey[]): O['defaults'] => {
    const given = optionsOf(choice);
    const { name, defaults, about } = of;
    for (const [option, value] of Object.entries(given))
      at([...path, option], () => readOptions({ name, defaults, about }, { [option]: value }));
    return at(path, () => readOptions(of, given));
  };

  const inputs = inputsOf(recipe, where);
  const family = at(['model'], () => findArchitecture(nameOf(recipe.model)));
  const built = options(family, recipe.model, ['model']);
  const architecture = at(['model'], () => family.build({ inputs, classes: recipe.classes }, built));

  const optimiser = at(['optimiser'], () => findOptimiser(nameOf(recipe.optimiser)));
  const settings = options(optimiser, recipe.optimiser, ['optimiser']) as Optimiser['defaults'];
  const schedule = at(['schedule'], () => scheduleOf({ ...optionsOf(recipe.schedule), use: nameOf(recipe.schedule) }));

  const changes = recipe.augment.map((choice, i) => {
    const one = at(['augment', i], () => findAugmentation(nameOf(choice)));
    const given = options(one, choice, ['augment', i]);
    if (!Object.values(architecture.inputs).some((spec) => one.suits(spec)))
      throw new UserError(
        `${where(['augment', i])}${one.name} means nothing for these inputs`,
        `take it out; the inputs are ${Object.entries(architecture.inputs)
          .map(([name, spec]) => `${name} (${spec.modality}, ${spec.layout})`)
          .join(', ')}`,
      );
    return { made: augmentation(one, given), written: { use: one.name, ...given } };
  });

  const threats = recipe.threat === undefined ? undefined : at(['threat'], () => threatsOf(recipe.threat!, architecture.inputs));
  const written: Recipe = {
    ...recipe,
    model: { use: family.name, ...built },
    optimiser: { use: optimiser.name, ...settings },
    schedule: { use: schedule.name, ...schedule.options },
    augment: changes.map((c) => c.written),
  };
  const common = {
    architecture,
    optimiser,
    settings,
    schedule,
    augment: changes.map((c) => c.made),
    ...(threats === undefined ? {} : { threats }),
  };
  if (recipe.defence === undefined) return { ...common, recipe: written, objective: standard(recipe.loss) };

  const chosen = recipe.defence;
  const defence = at(['defence'], () => findDefence(nameOf(chosen)));
  const strength = options(defence, chosen, ['defence']);
  if (threats === undefined)
    throw new UserError(
      `${where(['defence'])}${defence.name} needs to know what it defends against`,
      'add threat: { norm: linf, eps: 8/255 }',
    );
  if (recipe.loss.smoothing > 0)
    throw new UserError(
      `${where(['loss', 'smoothing'])}${defence.name} minimises a loss of its own, without smoothing`,
      'take smoothing out, or train without the defence',
    );
  const made = at(['defence'], () => defence.make(strength, threats));
  return { ...common, recipe: { ...written, defence: { use: defence.name, ...strength } }, ...made };
}

export const nameOf = (choice: Choice): string => (typeof choice === 'string' ? choice : choice.use);

const optionsOf = (choice: Choice): Readonly<Record<string, unknown>> => {
  if (typeof choice === 'string') return {};
  const { use: _, ...options } = choice;
  return options;
};

/** The inputs as the kit knows them; training feeds float32. */
function inputsOf({ inputs }: Recipe, where: Where): Record<string, InputSpec> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { unit, ...input }]) => {
      if (input.layout.length !== input.shape.length + 1)
        throw new UserError(
          `${where(['inputs', name])}the layout ${input.layout} names ${input.layout.length} axes, the shape [${input.shape.join(', ')}] has ${input.shape.length} and the batch is one more`,
          'give one letter per axis and N for the batch, which is not in the shape: e.g. shape: [1, 48, 48], layout: NCHW',
        );
      return [name, { ...input, dtype: 'float32', unit: unit ?? units[input.modality] }];
    }),
  );
}

type OneBudget = { readonly norm: Norm; readonly eps: number | string };

const isBudget = (threat: NonNullable<Recipe['threat']>): threat is OneBudget =>
  'eps' in threat && typeof threat.eps !== 'object';

function threatsOf(threat: NonNullable<Recipe['threat']>, inputs: Readonly<Record<string, InputSpec>>): Threats {
  const attacked = attackedInputs({ inputs });
  const [first, ...others] = attacked;
  if (first === undefined) throw new UserError('no input may be attacked', 'give one the role attacked, or take threat out');
  if (isBudget(threat) && others.length > 0)
    throw new UserError(
      `there are ${attacked.length} attacked inputs and one budget`,
      `give each its own: threat: { ${attacked.map((name) => `${name}: { norm: linf, eps: ... }`).join(', ')} }`,
    );
  const named: Readonly<Record<string, OneBudget>> = isBudget(threat)
    ? { [first]: threat }
    : (threat as Record<string, OneBudget>);
  const wrong = Object.keys(named).find((name) => !attacked.includes(name));
  if (wrong !== undefined) throw new UserError(`there is no attacked input "${wrong}"`, `one of: ${attacked.join(', ')}`);
  return Object.fromEntries(Object.entries(named).map(([name, { norm, eps }]) => [name, { norm, eps: parseEps(eps, 'eps') }]));
}
