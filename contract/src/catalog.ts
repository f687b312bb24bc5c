/** Products, their variants, and stock. */
import { Type, type Static } from 'typebox';
import { AmountMinor, Currency, Id, Image, Instant, Nullable, PageQuery } from './common.ts';

export const ProductState = Type.Union([Type.Literal('draft'), Type.Literal('active'), Type.Literal('archived')]);
export type ProductState = Static<typeof ProductState>;

/** A choice the buyer makes, such as Size; values in the order shown. `swatch` is a CSS hex colour. */
export const ProductOption = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 30, pattern: '\\S' }),
    values: Type.Array(
      Type.Object(
        {
          value: Type.String({ minLength: 1, maxLength: 30, pattern: '\\S' }),
          swatch: Type.Optional(Type.String({ pattern: '^#[0-9a-f]{6}$' })),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 30 },
    ),
  },
  { additionalProperties: false },
);
export type ProductOption = Static<typeof ProductOption>;

/** More variants than this make a sheet nobody can choose from. */
export const VARIANTS_MAX = 100;

/**
 * A variant as the shop writes it; `id` names an existing one, which is kept. `stock` counts for a new one only: of an
 * existing one it is ignored, because a number that is minutes old must not undo what was sold since.
 */
export const VariantInput = Type.Object(
  {
    id: Type.Optional(Id),
    /** One value of each option, in the order of the options; empty for a product without options. */
    optionValues: Type.Array(Type.String({ maxLength: 30 }), { maxItems: 3 }),
    sku: Type.String({ minLength: 1, maxLength: 60, pattern: '\\S' }),
    priceMinor: AmountMinor,
    stock: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  },
  { additionalProperties: false },
);
export type VariantInput = Static<typeof VariantInput>;

const fields = {
  title: Type.String({ minLength: 1, maxLength: 120, pattern: '\\S' }),
  description: Type.String({ maxLength: 4000 }),
  imageIds: Type.Array(Id, { maxItems: 9 }),
  options: Type.Array(ProductOption, { maxItems: 3 }),
  variants: Type.Array(VariantInput, { maxItems: VARIANTS_MAX }),
  state: ProductState,
};
export const ProductCreate = Type.Object(fields, { additionalProperties: false });
export type ProductCreate = Static<typeof ProductCreate>;
/** `options` and `variants` come together or not at all; variants that are missing are withdrawn. */
export const ProductPatch = Type.Partial(Type.Object(fields), { additionalProperties: false, minProperties: 1 });
export type ProductPatch = Static<typeof ProductPatch>;

export const Variant = Type.Object({
  id: Id,
  optionValues: Type.Array(Type.String()),
  sku: Type.String(),
  priceMinor: AmountMinor,
  /** Pieces that can be bought now. */
  available: Type.Integer(),
  /** Pieces set aside for unpaid orders, which may come back. */
  held: Type.Integer(),
});
export type Variant = Static<typeof Variant>;

export const Product = Type.Object({
  id: Id,
  shopId: Id,
  title: Type.String(),
  description: Type.String(),
  images: Type.Array(Image),
  options: Type.Array(ProductOption),
  variants: Type.Array(Variant),
  currency: Currency,
  state: ProductState,
  createdAt: Instant,
});
export type Product = Static<typeof Product>;

/**
 * Either a change (an arrival, a loss) or a count of the pieces that can be bought; held pieces are not among them.
 * Never below zero.
 */
export const StockChange = Type.Union([
  Type.Object({ change: Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 }) }, { additionalProperties: false }),
  Type.Object({ setTo: Type.Integer({ minimum: 0, maximum: 1_000_000 }) }, { additionalProperties: false }),
]);
export type StockChange = Static<typeof StockChange>;

/** What a viewer must know at once when pieces are sold, held or come back. */
export const StockLevel = Type.Object({
  productId: Id,
  variantId: Id,
  available: Type.Integer(),
  held: Type.Integer(),
});
export type StockLevel = Static<typeof StockLevel>;

/** `state` absent: all, archived ones too. */
export const ProductQuery = Type.Object({ ...PageQuery.properties, state: Type.Optional(ProductState) });
export type ProductQuery = Static<typeof ProductQuery>;

/** Letters and digits as a scanner or a person gives them. */
export const CounterGoodsQuery = Type.Object({ text: Type.String({ minLength: 1, maxLength: 120, pattern: '\\S' }) });

/** A variant as the counter sells it. */
export const CounterGood = Type.Object({
  variantId: Id,
  productId: Id,
  title: Type.String(),
  optionValues: Type.Array(Type.String()),
  sku: Type.String(),
  image: Nullable(Image),
  priceMinor: AmountMinor,
  currency: Currency,
  available: Type.Integer(),
});
export type CounterGood = Static<typeof CounterGood>;

/** `isSku`: the text is the SKU of each of these; otherwise their titles have it. A shop may use an SKU twice. */
export const CounterGoods = Type.Object({ isSku: Type.Boolean(), items: Type.Array(CounterGood) });
export type CounterGoods = Static<typeof CounterGoods>;
