/* What a dispatcher does to orders: shown at once, sent with the version seen, told when it fails. */
import { useEffect, useState } from "react";

const SENDS = {
  assign: "onAssign", reassign: "onReassign", unassign: "onUnassign", hold: "onHold", release: "onRelease", cancel: "onCancel", redispatch: "onRedispatch",
};
const HOLD_REASONS = ["Waiting for the merchant", "Address unclear", "Payment in question", "Weather"];
const CANCEL_REASONS = ["Merchant asked", "Customer asked", "Cannot be served", "Duplicate order"];
const PAUSE_REASONS = ["Heavy rain", "Road closed", "Too few drivers", "Incident"];
const RESUME_REASONS = ["Back to normal"];

const BACK_REASONS = ["Driver is late", "Driver cannot be reached", "Assigned by mistake", "Better driver near"];

const SAID_MS = 5000;
const LEADS_ON = ["assign", "hold", "release", "cancel"];
const OVERRULE_REASONS = ["Driver agreed by phone", "Nobody else is near", "Short way"];

const lines = (count) => (count === 1 ? "1 order" : `${count} orders`);

export function useDeeds({ props, shown, choice, target, pick }) {
  const [pending, setPending] = useState({});
  const [notes, setNotes] = useState({});
  const [question, ask] = useState(null);
  const [said, say] = useState("");
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => say(""), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const { outcome } = props;

  useEffect(() => {
    if (!outcome.serial) return;
    const answered = outcome.items.map((item) => item.id);
    setPending((before) => without(before, answered));
    setNotes((before) => ({
      ...without(before, answered),
      ...Object.fromEntries(outcome.items.filter((item) => !item.ok).map((item) => [item.id, { tone: "critical", words: item.words }])),
    }));
    if (outcome.items.length === 1 && outcome.items[0].ok && outcome.items[0].id === choice.chosen && LEADS_ON.includes(outcome.verb)) choice.moveOn();
    choice.markOnly(outcome.items.filter((item) => !item.ok && outcome.items.length > 1).map((item) => item.id));
  }, [outcome.serial]);

  const known = (id) => shown.find((order) => order.id === id) ?? (choice.chosenOrder?.id === id ? choice.chosenOrder : null);
  /* The orders a deed is for: the marked ones, else the one at hand, else the one under the keyboard. */
  const wanted = () => {
    const ids = choice.marked.size ? [...choice.marked] : [choice.chosen || choice.active].filter(Boolean);
    return ids.map(known).filter((order) => order && !order.left && !pending[order.id]);
  };
  const send = (verb, words, orders, details = {}) => {
    if (!orders.length) return;
    setPending((before) => ({ ...before, ...Object.fromEntries(orders.map((order) => [order.id, words])) }));
    setNotes((before) => without(before, orders.map((order) => order.id)));
    props[SENDS[verb]]({ orders: orders.map((order) => ({ id: order.id, version: order.version })), driver: "", reason: "", ...details });
  };
  const assignTo = (ids, driver) => {
    const named = [...props.chosenDetail.drivers, ...props.drivers].find((each) => each.id === driver);
    const orders = ids.map(known).filter(Boolean);
    const verb = orders.some((order) => order.driver) ? "reassign" : "assign";
    if (props.may.assign) send(verb, `assigning to ${named?.code ?? "the driver"}`, orders, { driver });
  };
  const asked = (title, button, reasons, verb, doing, { risk = false, may = true, fits = () => true } = {}) => () => {
    const orders = wanted().filter(fits);
    if (!orders.length || !may) return;
    const whom = orders.length === 1 ? orders[0].number : lines(orders.length);
    ask({ title: `${title} ${whom}?`, button, reasons, risk, words: "", act: (reason) => send(verb, doing, orders, { reason }) });
  };
  return {
    pending, notes, question, said, say, assignTo,
    forget: () => ask(null),
    assign: () => {
      const orders = wanted();
      if (!choice.chosen && !choice.marked.size && orders.length) {
        choice.choose(orders[0].id);
        return;
      }
      if (!target) say("Choose a driver first.");
      else assignTo(orders.map((order) => order.id), target.id);
    },
    unassign: asked("Take back", "Take back", BACK_REASONS, "unassign", "taking back", { may: props.may.assign, fits: (order) => order.driver }),
    hold: asked("Hold", "Hold", HOLD_REASONS, "hold", "putting on hold", { may: props.may.hold, fits: (order) => order.state !== "on_hold" }),
    release: () => props.may.hold && send("release", "releasing", wanted().filter((order) => order.state === "on_hold")),
    cancel: asked("Cancel", "Cancel the order", CANCEL_REASONS, "cancel", "cancelling", { risk: true, may: props.may.cancel }),
    redispatch: () => props.may.assign && send("redispatch", "matching anew", wanted().filter((order) => order.state !== "on_hold")),
    /* Gives the order to a driver who is full or ends soon all the same; the history keeps why. */
    overrule: (past, id) => ask({
      title: `Assign ${known(id)?.number ?? "the order"} all the same?`, words: notes[id]?.words ?? "", button: "Assign", reasons: OVERRULE_REASONS, risk: false,
      act: (reason) => send(past.verb, "assigning", [known(id)].filter(Boolean), { driver: past.driver, reason, force: true }),
    }),
    retry: (past, ids) => send(past.verb, "trying again", ids.map(known).filter((order) => order && !order.left), { driver: past.driver, reason: past.reason }),
    undo: (ids) => props.onUnassign({ orders: ids.map((id) => ({ id, version: 0 })), driver: "", reason: "Assigned by mistake" }),
    moveStop: (plan, stops) => props.onEditRoute({
      driver: plan.driver, version: plan.version, stops: stops.map(({ order, kind, pinned }) => ({ order_id: order, kind, pinned })),
    }),
    flip: (city) => ask({
      title: city.on ? `Pause automatic matching in ${city.name}?` : `Resume automatic matching in ${city.name}?`,
      words: city.on ? "Open offers are withdrawn; until it is resumed, orders wait for a dispatcher." : "Waiting orders are matched at once.",
      button: city.on ? "Pause" : "Resume", reasons: city.on ? PAUSE_REASONS : RESUME_REASONS, risk: city.on,
      act: (reason) => props.onSwitch({ city: city.code, automatic: !city.on, reason }),
    }),
    escape: () => {
      if (choice.marked.size) choice.unmark();
      else if (choice.chosen) choice.letGo();
      else pick("");
    },
  };
}

const without = (record, ids) => Object.fromEntries(Object.entries(record).filter(([id]) => !ids.includes(id)));
