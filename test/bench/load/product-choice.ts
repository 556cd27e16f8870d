/** Numbers from 0 to the one before `products`, in an order that looks random and is the same in every run. */
export class ProductChoice {
  readonly #products: number;
  #random = 1;

  constructor(products: number) {
    this.#products = products;
  }

  /** The next product, and a price for it in cents, from 1. */
  next(): { readonly productId: string; readonly cents: number } {
    // Park and Miller's generator; its products stay below 2^53.
    this.#random = (this.#random * 48_271) % 2_147_483_647;
    const productId = `product-${this.#random % this.#products}`;
    return { productId, cents: 1 + (this.#random % 100_000) };
  }
}
