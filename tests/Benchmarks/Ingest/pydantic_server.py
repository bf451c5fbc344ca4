"""A server as one writes it in an afternoon: asyncio takes lines, a strict Pydantic model checks each, a file takes what is accepted."""
import asyncio
import sys
from typing import Literal, Union

from pydantic import BaseModel, Extra, StrictFloat, StrictInt, StrictStr, ValidationError


class Reading(BaseModel):
    sensor_id: StrictInt
    seq: StrictInt
    kind: Literal["Temperature", "Humidity", "State"]
    value: Union[StrictFloat, StrictInt, StrictStr]
    timestamp: StrictInt
    site: StrictStr

    class Config:
        extra = Extra.forbid


async def serve(port, path):
    with open(path, "wb") as accepted, open(path + ".rejected", "wb") as rejected:
        async def take(reader, writer):
            async for line in reader:
                try:
                    Reading.parse_raw(line)
                    accepted.write(line)
                except ValidationError:
                    rejected.write(line)
            accepted.flush()
            rejected.flush()
            writer.close()

        server = await asyncio.start_server(take, "127.0.0.1", port, limit=1 << 20)
        await server.serve_forever()


asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
