package feed

import "github.com/gorilla/websocket"

type Tick struct{ Offset int64 }

type Subscriber struct {
	conn       *websocket.Conn
	lastOffset int64
}

func (s *Subscriber) deliver(tick Tick) error {
	if tick.Offset <= s.lastOffset {
		return nil
	}
	s.lastOffset = tick.Offset
	return s.conn.WriteJSON(tick)
}

func (s *Subscriber) catchUp(from, newest int64, log Log) []Tick {
	if from > newest {
		return log.Tail(50)
	}
	return log.Since(from)
}
