/* Two people's changes of one flag, put together part by part: a setting, a variant, a rule. */
import { differs } from "./flag_editor_draft.js";
import { whoOf } from "./flag_editor_words.js";

const TITLES = {
  on: "the switch", kind: "the kind", owner: "the owner", description: "what it does", default_variant: "everyone else", off_variant: "when off",
  expires_at: "the expiry", sensitive: "the second person", prerequisites: "the prerequisites", targeting: "the logic", metadata: "the metadata",
};
const ORDER = "the order of the rules";

const idsOf = (spec) => spec.rules.map(({ id }) => id);

/* A specification's parts by name. */
const partsOf = (spec) => new Map([
  ...Object.entries(spec).filter(([name]) => name in TITLES),
  ...Object.entries(spec.variants).map(([name, value]) => [`variant ${name}`, value]),
  ...spec.rules.map((rule) => [`rule ${rule.id}`, rule]),
]);

function changedParts(before, after) {
  const [old, now] = [partsOf(before), partsOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((name) => differs(old.get(name), now.get(name)));
}

const worded = (part, specs, names) => {
  const rule = specs.flatMap(({ rules }) => rules).find(({ id }) => part === `rule ${id}`);
  return rule ? `rule “${whoOf(rule, names)}”` : TITLES[part] ?? part;
};

/* Whether a part came or went altogether. */
function fate(part, before, after) {
  const [was, is] = [before, after].map((spec) => partsOf(spec).has(part));
  if (was && is) return "";
  return is ? " (new)" : " (taken away)";
}

/* The base's rules that all three have, in the order of one of them. */
const common = (spec, ...others) => idsOf(spec).filter((id) => others.every((other) => idsOf(other).includes(id)));

/* What differs between two specifications, each part in a few words. */
export function changedWords(before, after, names) {
  const words = changedParts(before, after).map((part) => worded(part, [before, after], names) + fate(part, before, after));
  return differs(common(before, after), common(after, before)) ? [...words, ORDER] : words;
}

/* The ids of all rules: as they stand in one, those of the other after what they stand after there. */
function joined(leading, other) {
  const order = idsOf(leading);
  idsOf(other).forEach((id, at, all) => {
    if (!order.includes(id)) order.splice(at ? order.indexOf(all[at - 1]) + 1 : 0, 0, id);
  });
  return order;
}

/*
 * `mine`, which began from `base`, put on `theirs`: what only one of the two changed is as that one
 * has it. Answers the specification, and in words what both changed, where mine stays.
 */
export function carriedOver(base, mine, theirs, names) {
  const [own, strange] = [changedParts(base, mine), changedParts(base, theirs)];
  const [my, their] = [partsOf(mine), partsOf(theirs)];
  const pick = (part) => (own.includes(part) ? my : their).get(part);
  const both = own.filter((part) => strange.includes(part) && differs(my.get(part), their.get(part)));
  const [was, myOrder, theirOrder] = [common(base, mine, theirs), common(mine, base, theirs), common(theirs, base, mine)];
  const reordered = differs(myOrder, was);
  const variants = [...new Set([...Object.keys(theirs.variants), ...Object.keys(mine.variants)])];
  const spec = {
    ...Object.fromEntries(Object.entries(theirs).map(([name, value]) => [name, name in TITLES ? pick(name) : value])),
    variants: Object.fromEntries(variants.map((name) => [name, pick(`variant ${name}`)]).filter(([, value]) => value !== undefined)),
    rules: (reordered ? joined(mine, theirs) : joined(theirs, mine)).map((id) => pick(`rule ${id}`)).filter(Boolean),
  };
  const words = both.map((part) => worded(part, [mine, theirs], names));
  return { spec, both: reordered && differs(theirOrder, was) && differs(theirOrder, myOrder) ? [...words, ORDER] : words };
}
