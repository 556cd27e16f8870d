# syntax=docker/dockerfile:1

# What the service needs to run, and nothing that only its developers need.
FROM node:24.21.0-trixie-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts

FROM node:24.21.0-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
RUN npm run build && mkdir /data

# Node.js and the libraries that it needs: no shell, no package manager. This tag follows the patches of
# Node.js 24 and Debian 13, so an image is named by its digest once it is built, and only that is deployed.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
ARG REVISION=unknown
LABEL org.opencontainers.image.title="repricer" \
      org.opencontainers.image.description="A price ledger" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="gcr.io/distroless/nodejs24-debian13:nonroot"
# Others can reach this address, so the service starts only with a tokens file, or when told --allow-anonymous.
ENV NODE_ENV=production \
    REPRICER_HOST=0.0.0.0 \
    REPRICER_DATA_DIR=/data \
    REPRICER_SERVICE_VERSION=$REVISION
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/build/src ./build/src
# The only place that is written to: mount a volume here, and everything else read-only.
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
EXPOSE 8080 9102
STOPSIGNAL SIGTERM
ENTRYPOINT ["/nodejs/bin/node", "--enable-source-maps", "/app/build/src/main.js"]
CMD ["serve"]
