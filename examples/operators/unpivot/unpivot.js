// An operator that is not in Python: each float of a reading becomes a row of its own, with the column's name.
// labels: [quantity], fields: {value: float}
'use strict';

const fs = require('fs');
const path = require('path');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const SOCKET = process.env.FOGLINE_SOCKET || '/run/fogline/operator.sock';
const PROTOS = process.env.FOGLINE_PROTOS || path.join(__dirname, '../../../proto');

// One row for each float that is not null. Rows come in the order of the batch: input_row never descends.
function unpivot(batch) {
  const floats = batch.columns.filter((column) => column.type === 'float');
  const inputRows = [];
  const codes = [];
  const values = [];
  for (let row = 0; row < batch.rows; row += 1) {
    floats.forEach((column, code) => {
      if (column.valid.length && column.valid[row] === 0) return;
      inputRows.push(row);
      codes.push(code);
      values.push(column.values.readDoubleLE(8 * row));
    });
  }
  return {
    id: batch.id,
    rows: inputRows.length,
    input_row: packed(inputRows, 4, 'writeUInt32LE'),
    columns: [
      {
        name: 'quantity',
        type: 'text',
        dictionary: floats.map((column) => column.name),
        codes: packed(codes, 4, 'writeInt32LE'),
      },
      { name: 'value', type: 'float', values: packed(values, 8, 'writeDoubleLE') },
    ],
  };
}

function packed(numbers, width, write) {
  const bytes = Buffer.alloc(numbers.length * width);
  numbers.forEach((number, place) => bytes[write](number, place * width));
  return bytes;
}

function answer(batch) {
  try {
    return { rows: unpivot(batch) };
  } catch (error) {
    console.error(error);
    return { error: { id: batch.id, reason: String(error) } };
  }
}

function processStream(stream) {
  stream.on('data', (request) => {
    if (request.kind === 'greeting') {
      stream.write({ greeting: { protocol: 1, software: `unpivot (Node.js ${process.version})` } });
    } else {
      stream.write(answer(request.batch));
    }
  });
  stream.on('end', () => stream.end());
  stream.on('error', () => {}); // the node has gone; it dials again
}

const definition = protoLoader.loadSync('fogline/v1/operator.proto', {
  includeDirs: [PROTOS],
  keepCase: true,
  longs: String, // ids are 64 bits wide
  defaults: true,
  oneofs: true,
});
const { OperatorService } = grpc.loadPackageDefinition(definition).fogline.v1;

const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
server.addService(OperatorService.service, { Process: processStream });
fs.rmSync(SOCKET, { force: true });
server.bindAsync(`unix:${SOCKET}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  fs.chmodSync(SOCKET, 0o666); // who may reach it decides the folder
});

// A container's first process dies of no signal that it does not handle.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => process.exit(0));
}
