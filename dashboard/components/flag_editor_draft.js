/* What can be done to a flag's specification before it is saved; every function gives a new one. */

const WHOLE = 100_000;
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export const freshId = () => `r-${Math.random().toString(36).slice(2, 10)}`;

/* The variant that a new rule serves: the first that is not the off one. */
export const onVariant = (spec) => Object.keys(spec.variants).find((name) => name !== spec.off_variant) ?? spec.off_variant;

export const newRule = (spec) => ({ id: freshId(), conditions: [], serve: [{ variant: onVariant(spec), share: WHOLE }], by: "targetingKey" });

export const withRule = (spec, id, change) => ({ ...spec, rules: spec.rules.map((rule) => (rule.id === id ? { ...rule, ...change } : rule)) });

export function moved(spec, id, by) {
  const rules = [...spec.rules];
  const at = rules.findIndex((rule) => rule.id === id);
  const to = at + by;
  if (to < 0 || to >= rules.length) return spec;
  [rules[at], rules[to]] = [rules[to], rules[at]];
  return { ...spec, rules };
}

export const without = (spec, id) => ({ ...spec, rules: spec.rules.filter((rule) => rule.id !== id) });

const countryRule = (rule) => rule.conditions.length === 1 && rule.conditions[0].attribute === "region" && rule.conditions[0].operator === "any_of";
const within = (code, country) => code === country || code.startsWith(`${country}-`);
const served = (spec, { serve }) => (serve[0].share === WHOLE ? (serve[0].variant === spec.off_variant ? "off" : "on") : "partly");

/* What somebody of a country is served, as far as rules tell it: on, off, or partly. */
export function countryState(spec, country) {
  if (!spec.on) return "off";
  let partly = false;
  for (const rule of spec.rules) {
    const where = rule.conditions.find(({ attribute }) => attribute === "region");
    const about = !where
      || (where.operator === "any_of" ? where.values.some((code) => within(code, country)) : !where.values.includes(country));
    if (!about) continue;
    const whole = rule.conditions.length === (where ? 1 : 0) && (!where || where.operator === "none_of" || where.values.includes(country));
    if (whole) return partly ? "partly" : served(spec, rule);
    partly = partly || served(spec, rule) !== "off";
  }
  if (partly) return "partly";
  return spec.default_variant === null || spec.default_variant === spec.off_variant ? "off" : "on";
}

/* Turns a whole country on or off by a rule for countries alone. */
export function toggledCountry(spec, country) {
  const on = countryState(spec, country) !== "on";
  const rules = spec.rules
    .map((rule) => (countryRule(rule)
      ? { ...rule, conditions: [{ ...rule.conditions[0], values: rule.conditions[0].values.filter((code) => code !== country) }] }
      : rule))
    .filter((rule) => !countryRule(rule) || rule.conditions[0].values.length);
  const bare = { ...spec, rules };
  if (countryState(bare, country) === (on ? "on" : "off")) return bare;
  const serve = [{ variant: on ? onVariant(spec) : spec.off_variant, share: WHOLE }];
  const there = rules.findIndex((rule) => countryRule(rule) && same(rule.serve, serve));
  if (there >= 0) {
    const widened = rules.map((rule, at) => (at === there
      ? { ...rule, conditions: [{ ...rule.conditions[0], values: [...rule.conditions[0].values, country] }] }
      : rule));
    if (countryState({ ...spec, rules: widened }, country) === (on ? "on" : "off")) return { ...spec, rules: widened };
  }
  const rule = { id: freshId(), conditions: [{ attribute: "region", operator: "any_of", values: [country] }], serve, by: "targetingKey" };
  return { ...spec, rules: [rule, ...rules] };
}

/* The rule as it was before the draft; null for one that is new. */
export const formerly = (spec, rule) => spec.rules.find((each) => each.id === rule.id) ?? null;

export const differs = (one, other) => !same(one, other);
