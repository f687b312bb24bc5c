/** A product as it stands in the editor, and what is sent of it. Pure. */
import type { Product, ProductOption, VariantInput } from '@nacre/contract/catalog';
import type { Image } from '@nacre/contract/common';
import { amountText, parseAmount, parseCount } from './amounts.ts';
import { rowsFor, type VariantRow } from './variants.ts';

export interface ProductText {
  title: string;
  description: string;
  images: Image[];
  options: ProductOption[];
  rows: VariantRow[];
}

/** As the contract bounds it. */
export const stockMax = 1_000_000;

export function blankProduct(): ProductText {
  return {
    title: '',
    description: '',
    images: [],
    options: [],
    rows: rowsFor([], [], '', { price: '', stock: '1' }),
  };
}

/** A price of nothing in a draft is one that was not written yet. */
export function textOf(product: Product, digits: number): ProductText {
  const text: ProductText = {
    title: product.title,
    description: product.description,
    images: product.images,
    options: structuredClone(product.options),
    rows: product.variants.map((variant) => ({
      id: variant.id,
      optionValues: variant.optionValues,
      price: variant.priceMinor === 0 && product.state === 'draft' ? '' : amountText(variant.priceMinor, digits),
      stock: String(variant.available),
      sku: variant.sku,
      skuOwn: true,
    })),
  };
  return text.rows.length > 0
    ? text
    : { ...text, rows: rowsFor(text.options, [], text.title, { price: '', stock: '1' }) };
}

/** Only what the owner can change here: sales that go on meanwhile make no difference. */
export function basisOf(product: Product): string {
  const variants = product.variants.map(({ id, optionValues, sku, priceMinor }) => [
    id,
    optionValues,
    sku,
    priceMinor,
  ]);
  const { id, title, description, images, options, state } = product;
  return JSON.stringify([id, title, description, images.map((image) => image.id), options, state, variants]);
}

export function variantsOf(rows: readonly VariantRow[], digits: number): VariantInput[] {
  return rows.map((row) => ({
    ...(row.id === undefined ? { stock: parseCount(row.stock, stockMax) ?? 0 } : { id: row.id }),
    optionValues: [...row.optionValues],
    sku: row.sku.trim(),
    priceMinor: parseAmount(row.price, digits) ?? 0,
  }));
}

/** What is wrong, by the id of the field; the words come from the page. */
export type ProductProblem =
  | 'need_product_title'
  | 'need_option_name'
  | 'need_option_once'
  | 'need_option_values'
  | 'need_price'
  | 'need_stock'
  | 'need_sku'
  | 'need_sku_once';

/** `forSale`: a draft may be without prices. */
export function productProblems(text: ProductText, digits: number, forSale: boolean): Record<string, ProductProblem> {
  const found: Record<string, ProductProblem> = {};
  if (!text.title.trim()) found.title = 'need_product_title';
  const names = new Set<string>();
  text.options.forEach((option, index) => {
    const name = option.name.trim();
    if (!name) found[`option-${index}`] = 'need_option_name';
    else if (names.has(name)) found[`option-${index}`] = 'need_option_once';
    if (option.values.length === 0) found[`values-${index}`] = 'need_option_values';
    names.add(name);
  });
  const codes = new Set<string>();
  text.rows.forEach((row, index) => {
    const price = parseAmount(row.price, digits);
    if (price === null && (forSale || row.price.trim())) found[`price-${index}`] = 'need_price';
    if (row.id === undefined && parseCount(row.stock, stockMax) === null) found[`stock-${index}`] = 'need_stock';
    const code = row.sku.trim();
    if (!code) found[`sku-${index}`] = 'need_sku';
    else if (codes.has(code)) found[`sku-${index}`] = 'need_sku_once';
    codes.add(code);
  });
  return found;
}
