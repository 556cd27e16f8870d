/** Each product from `product-0` on once, in order, and a price for it in cents, from 1. */
export class EachProduct {
  #index = 0;

  next(): { readonly productId: string; readonly cents: number } {
    const index = this.#index;
    this.#index += 1;
    return { productId: `product-${index}`, cents: 1 + (index % 100_000) };
  }
}
