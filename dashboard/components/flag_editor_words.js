/* What rules say in words, how a share is written, and what differs between two texts. */

export const ATTRIBUTES = [
  ["region", "Where"], ["segment", "Segment"], ["app", "App"], ["app_version", "App version"],
  ["platform", "Platform"], ["role", "Role"], ["targetingKey", "Person"],
];

export const CHOICES = {
  app: ["shiptrack", "drivemate", "console"],
  platform: ["android", "ios", "web"],
  role: ["viewer", "fleet_manager", "support_agent", "support_lead", "admin", "auditor"],
};

const AMONG = [["any_of", "is"], ["none_of", "is not"]];
const VERSIONS = [
  ["version_at_least", "or newer"], ["version_above", "newer than"], ["version_at_most", "or older"], ["version_below", "older than"],
  ["version_is", "is"], ["version_is_not", "is not"], ["version_same_major", "same major as"], ["version_same_minor", "same minor as"],
];
const ANY = [
  ...AMONG, ["starts_with", "starts with"], ["ends_with", "ends with"], ["at_least", "at least"], ["above", "above"], ["at_most", "at most"], ["below", "below"],
  ...VERSIONS.map(([operator, word]) => [operator, `version ${word}`]),
];

export const operatorsOf = (attribute) => {
  if (attribute === "region" || attribute === "segment") return AMONG;
  if (attribute === "app_version") return VERSIONS;
  return attribute in CHOICES ? AMONG : ANY;
};

export const takesMany = (operator) => ["any_of", "none_of", "starts_with", "ends_with"].includes(operator);

const NAMED = { shiptrack: "ShipTrack", drivemate: "DriveMate", console: "console", android: "Android", ios: "iOS" };

const listed = (words, last) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`);

function versionOf(operator, value) {
  const words = {
    version_at_least: `${value} or newer`, version_above: `newer than ${value}`, version_at_most: `${value} or older`, version_below: `older than ${value}`,
    version_is: `${value}`, version_is_not: `not ${value}`, version_same_major: `${String(value).split(".")[0]}.x`, version_same_minor: `like ${value}`,
  };
  return words[operator];
}

function phraseOf({ attribute, operator, values }, names) {
  const not = operator === "none_of";
  const spelled = values.map((value) => names[value] ?? NAMED[value] ?? String(value).replaceAll("_", " "));
  if (attribute === "region") return `${not ? "outside " : ""}${listed(spelled, "and")}`;
  if (attribute === "segment") return `${not ? "not " : ""}segment ${listed(values.map(String), "or")}`;
  const version = versionOf(operator, values[0]);
  if (version) return `${attribute === "app_version" ? "app" : attribute} ${version}`;
  if (attribute === "app" || attribute === "platform") return `${not ? "not " : ""}${listed(spelled, "or")}`;
  const word = ANY.find(([each]) => each === operator)?.[1] ?? operator;
  const subject = attribute === "targetingKey" ? "person" : attribute.replaceAll("_", " ");
  return `${subject} ${word === "is" ? "" : `${word} `}${listed(values.map(String), "or")}`;
}

/* Who a rule is about: "India and Thailand, ShipTrack, app 5.2 or newer, segment prepaid". */
export function whoOf(rule, names) {
  const phrases = rule.conditions.map((condition) => phraseOf(condition, names)).filter(Boolean);
  if (!phrases.length) return "Everyone";
  const words = phrases.join(", ").replace(/(ShipTrack|DriveMate|console), app (?=\S)/, "$1 ");
  return words[0].toUpperCase() + words.slice(1);
}

export const percent = (thousandths) => `${Number((thousandths / 1000).toFixed(3))} %`;

/* The lines of two texts: kept, gone and come, along their longest common run. */
export function linesBetween(before, after) {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const longest = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let at = old.length - 1; at >= 0; at -= 1) {
    for (let to = now.length - 1; to >= 0; to -= 1) {
      longest[at][to] = old[at] === now[to] ? longest[at + 1][to + 1] + 1 : Math.max(longest[at + 1][to], longest[at][to + 1]);
    }
  }
  const lines = [];
  let [at, to] = [0, 0];
  while (at < old.length || to < now.length) {
    if (at < old.length && to < now.length && old[at] === now[to]) {
      lines.push(["kept", now[to]]);
      at += 1;
      to += 1;
    } else if (at < old.length && (to >= now.length || longest[at + 1][to] >= longest[at][to + 1])) {
      lines.push(["gone", old[at]]);
      at += 1;
    } else {
      lines.push(["come", now[to]]);
      to += 1;
    }
  }
  return lines;
}
