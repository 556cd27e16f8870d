/** The quotient as a whole number, a half rounded to the even neighbour. Neither is negative, and the divisor not 0. */
export function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const doubledRest = 2n * (dividend % divisor);
  const isUp = doubledRest > divisor || (doubledRest === divisor && quotient % 2n === 1n);
  return isUp ? quotient + 1n : quotient;
}
