/** Shows the API's description in the page. It is a file of its own, as the page allows no other scripts. */
export const startScript = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  validatorUrl: null,
});
`;
