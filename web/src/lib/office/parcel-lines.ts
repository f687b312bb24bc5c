/**
 * Tracking numbers as people have them: lines typed or pasted, a column or rows of a spreadsheet, our own CSV file.
 * Pure. Nothing is guessed: a line that is not understood is told by its number, and nothing is sent until none is.
 */
import { SELECT_MAX, type BulkShip } from '@nacre/contract/orders';

export type LineProblem = {
  /** From 1, as the person counts them. */
  line: number;
  kind: 'no_tracking' | 'no_carrier' | 'no_order' | 'twice' | 'too_long';
  number: string;
};

export interface ReadParcels {
  parcels: BulkShip['parcels'];
  problems: LineProblem[];
  isTooMany: boolean;
}

const carrierMax = 60;
const trackingMax = 80;
const orderPattern = /^n\s*-?\s*(\d{1,15})$/i;

interface Row {
  line: number;
  order: string | null;
  carrier: string;
  tracking: string;
}

/**
 * @param carrier of lines that name none
 * @param selected numbers of the selected orders, as listed: lines without an order are theirs, in this sequence
 */
export function readParcels(text: string, carrier: string, selected: readonly string[]): ReadParcels {
  const rows = rowsOf(text);
  const isColumn = rows.length > 0 && rows.every(({ order }) => order === null);
  const parcels: BulkShip['parcels'] = [];
  const problems: LineProblem[] = [];
  const seen = new Set<string>();
  rows.forEach((row, index) => {
    const number = row.order ?? (isColumn ? selected[index] : undefined) ?? '';
    const by = row.carrier || carrier.trim();
    const kind = number === '' ? 'no_order'
      : row.tracking === '' ? 'no_tracking'
        : by === '' ? 'no_carrier'
          : by.length > carrierMax || row.tracking.length > trackingMax ? 'too_long'
            : seen.has(number) ? 'twice' : null;
    seen.add(number);
    if (kind === null) parcels.push({ number, carrier: by, trackingNumber: row.tracking });
    else problems.push({ line: row.line, kind, number });
  });
  return { parcels, problems, isTooMany: rows.length > SELECT_MAX };
}

function rowsOf(text: string): Row[] {
  const words = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  // In a file with a head, other signs may stand inside the cells.
  const sign = signOf(/^order[\t;,].*tracking_number/i.test(words[0] ?? '') ? words[0] ?? '' : '');
  const lines = words
    .map((line, index) => ({ line: index + 1, cells: cellsOf(line, sign ?? signOf(line)) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  const head = lines[0]?.cells.map((cell) => cell.toLowerCase()) ?? [];
  const [order, carrier, tracking] = ['order', 'carrier', 'tracking_number'].map((name) => head.indexOf(name));
  if (order === undefined || tracking === undefined || order < 0 || tracking < 0) return lines.map(rowOf);
  // Our own file: it has a line for each line of an order.
  const rows = lines.slice(1).map(({ line, cells }): Row => ({
    line, order: orderOf(cells[order] ?? '') ?? cells[order] ?? '', carrier: cells[carrier ?? -1] ?? '',
    tracking: cells[tracking] ?? '',
  }));
  return rows.filter((row, index) => row.tracking !== ''
    && rows.findIndex((one) => one.order === row.order && one.tracking === row.tracking) === index);
}

function rowOf({ line, cells }: { line: number; cells: string[] }): Row {
  const order = orderOf(cells[0] ?? '');
  const rest = (order === null ? cells : cells.slice(1)).filter((cell) => cell !== '');
  return { line, order, carrier: rest.length > 1 ? rest.slice(0, -1).join(' ') : '', tracking: rest.at(-1) ?? '' };
}

const orderOf = (cell: string): string | null => {
  const digits = orderPattern.exec(cell)?.[1];
  return digits === undefined ? null : `N-${digits}`;
};

const signOf = (line: string) => ['\t', ';', ','].find((one) => line.includes(one));

/** By tabs, else by semicolons or commas; with spaces only the order is apart: tracking numbers have spaces. */
function cellsOf(line: string, sign: string | undefined): string[] {
  if (sign !== undefined) return splitQuoted(line, sign);
  const words = /^\s*(n\s*-?\s*\d{1,15})\s+(.*)$/i.exec(line);
  return words === null ? [line.trim()] : [words[1] ?? '', (words[2] ?? '').trim()];
}

/** RFC 4180, one line; a guard against formulas (a leading apostrophe) is taken off. */
function splitQuoted(line: string, sign: string): string[] {
  const cells: string[] = [''];
  let isQuoted = false;
  let before = '';
  for (const letter of line) {
    if (letter === '"') {
      if (!isQuoted && before === '"') cells.push(`${cells.pop() ?? ''}"`);
      isQuoted = !isQuoted;
    } else if (letter === sign && !isQuoted) cells.push('');
    else cells.push(`${cells.pop() ?? ''}${letter}`);
    before = letter;
  }
  return cells.map((cell) => cell.trim().replace(/^'(?=[=+\-@])/, ''));
}
