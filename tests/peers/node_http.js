// The same service on Node's http, stopped the way its documentation suggests: server.close on SIGTERM.
//
// node node_http.js PORT
'use strict';

const http = require('node:http');

const server = http.createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const work = parseInt(url.searchParams.get('work') ?? '0', 10);
    if (request.method === 'POST') {
        let size = 0;
        request.on('data', (piece) => { size += piece.length; });
        request.on('end', () => response.end(`${size}\n`));
    } else if (url.pathname === '/stream') {
        let left = 20;
        const timer = setInterval(() => {
            response.write('hello\n');
            left -= 1;
            if (left === 0) {
                clearInterval(timer);
                response.end();
            }
        }, work / 20);
    } else {
        setTimeout(() => response.end('hello\n'), work);
    }
});

process.on('SIGTERM', () => server.close(() => process.exit(0)));
server.listen(Number(process.argv[2]), '127.0.0.1');
