/* One order of the queue: how late, from where to where, promised when, offered to whom. */
import { carry } from "./dispatch_board_drag.js";
import { clockOf, lateness, spanOf, useNow } from "./dispatch_board_time.js";

const STATES = {
  assigned: "assigned", accepted: "accepted", at_pickup: "at pickup", picked_up: "picked up", in_transit: "on the way",
  arrived: "at the door", failed: "failed", returning: "returning",
};

export function OrderRow({ order, board, active, chosen, marked, marking }) {
  const now = useNow(10_000);
  const { tone, word } = lateness(order, now);
  const pending = board.pending[order.id];
  const note = board.notes[order.id];
  const promised = clockOf(order.due, board.zone);
  const press = (event) => {
    if (order.left || !board.may.assign || event.shiftKey) return;
    const ids = marked ? [...board.marked] : [order.id];
    const load = { ids, label: ids.length > 1 ? `${ids.length} orders` : order.number };
    carry(event, load, (driver) => board.assignTo(ids, driver), (finger) => finger && board.taken(ids));
  };
  const click = (event) => {
    if (order.left) return;
    if (event.shiftKey) board.markTo(order.id);
    else if (event.ctrlKey || event.metaKey) board.mark(order.id);
    else board.choose(order.id);
  };
  return (
    <div
      id={`wpb-o-${order.id}`} className="wpb-row" role="option" aria-selected={chosen || marked} aria-disabled={order.left ? true : undefined}
      data-active={active ? "" : undefined} data-chosen={chosen ? "" : undefined} data-marked={marked ? "" : undefined}
      data-pending={pending ? "" : undefined} data-left={order.left ? "" : undefined} data-marking={marking ? "" : undefined}
      data-order={order.number} onPointerDown={press} onClick={click}
    >
      <span className="wpb-mark" data-on={marked ? "" : undefined} aria-hidden="true" onPointerDown={(event) => event.stopPropagation()} onClick={(event) => {
        event.stopPropagation();
        if (event.shiftKey) board.markTo(order.id);
        else board.mark(order.id);
      }} />
      <div>
        <span className="wpb-number">{order.number}</span>
        {order.service === "express" && (
          <span className="wpb-express" title="Express">
            <svg viewBox="0 0 10 12" width="10" height="12" aria-hidden="true"><path d="M6 .5L1.5 7H5l-1 4.5L8.5 5H5z" fill="currentColor" /></svg>
            <span className="wp-hidden-words">express</span>
          </span>
        )}
        <Carrier order={order} />
        <span className="wp-state wpb-late" data-tone={tone}><span className="wp-shape" data-tone={tone} aria-hidden="true" />{word}</span>
      </div>
      <div>
        {pending || order.left || note
          ? <span className="wpb-way wpb-told wp-clip" data-tone={note && !pending ? note.tone : "info"} title={note?.words}>{pending || order.left || note.words}</span>
          : <span className="wpb-way wp-clip" title={`${order.pickup} to ${order.drop}`}>{order.note || `${order.pickup} to ${order.drop}`}</span>}
        <span className="wpb-due">{order.needs && <span className="wpb-needs" title={order.needs}>{order.needs}</span>}promised {promised}</span>
      </div>
    </div>
  );
}

function Carrier({ order }) {
  if (order.offer_until) return <Offer order={order} />;
  if (!order.driver_code) return <span className="wpb-carrier" />;
  return <span className="wpb-carrier wp-clip" title={STATES[order.state]}>{order.driver_code}, {STATES[order.state] ?? order.state}</span>;
}

/* An open offer: to whom, and how long they still have. */
function Offer({ order }) {
  const now = useNow();
  const left = order.offer_until - now;
  if (left <= 0) return <span className="wpb-carrier">offer over</span>;
  return (
    <span className="wpb-carrier wpb-offer wp-clip" title={`Offered to ${order.offer_code}`}>
      <span className="wp-shape" data-tone="info" aria-hidden="true" />{order.offer_code}, {spanOf(left)}
    </span>
  );
}
