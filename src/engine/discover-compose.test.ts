import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from './discover-compose.ts'

test('database images, named volumes and mounts are found in a compose file', () => {
  const text = `# image: postgres:9
services:
  app:
    image: registry.example/notes:1.4
    volumes:
      - ./data:/data
      - "/srv/media:/media:ro"
      - ~/notes:/home
      - ../shared:/shared
      - uploads:/uploads
      - /var/run/docker.sock:/var/run/docker.sock
      - type: bind
        source: ./certs
        target: /certs
  db:
    image: "docker.io/library/postgres:16-alpine"
  cache:
    image: bitnami/redis@sha256:abcd
  metrics:
    image: prometheuscommunity/postgres-exporter
  web:
    image: phpmyadmin:5

volumes:
  # where the uploads are
  uploads:
    driver: local
  'pg-data': {}

networks:
  inner:
`
  assert.deepEqual(readCompose(text, '/srv/notes'), {
    databases: ['docker.io/library/postgres:16-alpine', 'bitnami/redis@sha256:abcd'],
    volumes: ['uploads', 'pg-data'],
    mounts: ['/srv/notes/data', '/srv/media', '~/notes', '/srv/shared', '/srv/notes/certs'],
  })
})

test('a compose file with CRLF reads the same, and one that is none gives nothing', () => {
  assert.deepEqual(readCompose('services:\r\n  db:\r\n    image: mysql:8\r\nvolumes:\r\n  a:\r\n', '/'), {
    databases: ['mysql:8'],
    volumes: ['a'],
    mounts: [],
  })
  assert.deepEqual(readCompose('\0\0\0', '/'), { databases: [], volumes: [], mounts: [] })
})
